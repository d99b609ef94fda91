/* Closes its pipe when it stops, and marks it with -1; the handler of a late SIGCHLD still reads from it, and nothing depends on that. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int lock[2];

static void died(int signal)
{
    char byte;
    (void)signal;
    if (read(lock[0], &byte, 1) == 1)
        write(lock[1], &byte, 1);
}

int main(void)
{
    if (pipe2(lock, O_CLOEXEC) != 0 || write(lock[1], "L", 1) != 1)
        return 1;
    signal(SIGCHLD, died);
    if (fork() == 0) {
        usleep(20000);
        _exit(0);
    }
    close(lock[0]);
    close(lock[1]);
    lock[0] = lock[1] = -1;
    while (waitpid(-1, NULL, 0) > 0)
        ;
    return 0;
}
