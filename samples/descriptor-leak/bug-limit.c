/* A monitor that reads the load each second and never closes the file; the limit is low, so that it is reached soon. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

int main(void)
{
    char text[64];
    struct rlimit limit = {24, 24};
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int second = 0; second < 40; second++) {
        int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            perror("/proc/loadavg");
            return 1;
        }
        (void)!read(fd, text, sizeof text);
        usleep(1000);
    }
    return 0;
}
