/* A supervisor asks its worker to end, and kills it in the end: the worker ignores SIGTERM, as it inherited it. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void work(void)
{
    for (int step = 0; step < 100; step++)
        usleep(50000);
    _exit(EXIT_SUCCESS);
}

int main(void)
{
    signal(SIGTERM, SIG_IGN);
    pid_t worker = fork();
    if (worker == 0)
        work();
    usleep(50000);
    kill(worker, SIGTERM);
    for (int tenth = 0; tenth < 3; tenth++) {
        usleep(100000);
        if (waitpid(worker, NULL, WNOHANG) == worker)
            return 0;
    }
    kill(worker, SIGKILL);
    waitpid(worker, NULL, 0);
    return 0;
}
