/* A profiler's timer ticks a hundred times a second: fork has time enough between two ticks. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t ticks;

static void set_timer(int microseconds)
{
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void tick(int number)
{
    (void)number;
    if (++ticks == 40)
        set_timer(0); /* the real one goes on for ever */
}

int main(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = tick;
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    set_timer(10000);
    if (fork() == 0)
        _exit(0);
    set_timer(0);
    wait(NULL);
    return 0;
}
