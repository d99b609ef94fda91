/* The worker's handler sets a flag that nobody looks at: it works on until the supervisor kills it. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t wanted;

static void end(int number)
{
    wanted = number;
}

static void work(void)
{
    signal(SIGTERM, end);
    for (int step = 0; step < 100; step++)
        usleep(50000);
    _exit(EXIT_SUCCESS);
}

int main(void)
{
    pid_t worker = fork();
    if (worker == 0)
        work();
    usleep(50000);
    kill(worker, SIGTERM);
    usleep(300000);
    kill(worker, SIGKILL);
    waitpid(worker, NULL, 0);
    return 0;
}
