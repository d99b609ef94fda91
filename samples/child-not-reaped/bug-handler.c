/* One wait for each SIGCHLD: children that end at the same time send one signal only, and one of them is left. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void reap(int number)
{
    (void)number;
    waitpid(-1, NULL, WNOHANG);
}

int main(void)
{
    struct sigaction action;
    sigset_t mask, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = reap;
    action.sa_flags = SA_RESTART;
    sigaction(SIGCHLD, &action, NULL);
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, &before);
    for (int child = 0; child < 3; child++)
        if (fork() == 0)
            _exit(0);
    usleep(50000);
    sigprocmask(SIG_SETMASK, &before, NULL);
    for (int pause = 0; pause < 20; pause++)
        usleep(10000);
    return 0;
}
