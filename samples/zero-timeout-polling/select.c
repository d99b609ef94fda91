/* A loop that asks select with a time-out of 0 for the line of a child. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int ends[2];
    char line[64];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return 1;
    if (fork() == 0) {
        usleep(10000);
        _exit(write(ends[1], "done\n", 5) != 5);
    }
    for (;;) {
        struct timeval none = {0, 0};
        fd_set set;
        FD_ZERO(&set);
        FD_SET(ends[0], &set);
        if (select(ends[0] + 1, &set, NULL, NULL, &none) == 1 && read(ends[0], line, sizeof line) > 0)
            break;
    }
    wait(NULL);
    return 0;
}
