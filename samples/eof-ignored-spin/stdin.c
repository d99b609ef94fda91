/* A daemon that takes commands from its standard input and reports of a worker, by select. Started with </dev/null, its
 * standard input is at its end and always readable. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    char line[64];
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return 1;
    if (fork() == 0) {
        usleep(2000);
        _exit(write(ends[1], "done\n", 5) != 5);
    }
    close(ends[1]);
    for (;;) {
        fd_set ready;
        FD_ZERO(&ready);
        FD_SET(STDIN_FILENO, &ready);
        FD_SET(ends[0], &ready);
        if (select(ends[0] + 1, &ready, NULL, NULL, NULL) <= 0)
            break;
        if (FD_ISSET(STDIN_FILENO, &ready) && read(STDIN_FILENO, line, sizeof line) > 0 && line[0] == 'q')
            break;
        if (FD_ISSET(ends[0], &ready) && read(ends[0], line, sizeof line) > 0)
            break;
    }
    wait(NULL);
    return 0;
}
