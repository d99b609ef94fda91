/* The handler only notes that the time has come; the loop writes the log. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t due;

static void notes(int signal)
{
    (void)signal;
    due = 1;
}

static void works(void)
{
    struct sigaction action = {.sa_handler = notes, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 20000}, {0, 20000}};
    setenv("TZ", "UTC", 1);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (time_t stamp = 0, ticks = 0; ticks < 20; stamp++) {
        localtime(&stamp);
        if (due) {
            due = 0;
            ticks++;
            write(2, "tick\n", 5);
        }
    }
}

int main(void)
{
    pid_t child = fork();
    if (child == 0) {
        works();
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return 0;
}
