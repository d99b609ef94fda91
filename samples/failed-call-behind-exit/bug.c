/* A service that looks for its settings at three places, cannot write its pid file, and says so by perror. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int open_settings(void)
{
    static const char *const places[] = {"service.conf", "/usr/local/etc/service.conf", "/etc/shells"};
    for (size_t place = 0; place < sizeof places / sizeof *places; place++) {
        int fd = open(places[place], O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
            return fd;
    }
    return -1;
}

static void write_pid_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    dprintf(fd, "%d\n", (int)getpid());
    close(fd);
}

int main(void)
{
    char line[64];
    int settings = open_settings();
    (void)!read(settings, line, sizeof line);
    close(settings);
    write_pid_file("run/service.pid");
    return 0;
}
