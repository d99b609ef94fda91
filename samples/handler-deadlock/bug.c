/* A timer's handler writes the time to the log, as syslog(3) does: localtime takes a lock, which the code that the
   signal interrupted holds. Three seconds later the parent ends the child, which hangs. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void logs(int signal)
{
    (void)signal;
    time_t now = time(NULL);
    localtime(&now);
    write(2, "tick\n", 5);
}

static void works(void)
{
    struct sigaction action = {.sa_handler = logs, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 20000}, {0, 20000}};
    setenv("TZ", "UTC", 1);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (time_t stamp = 0;; stamp++)
        localtime(&stamp);
}

int main(void)
{
    pid_t child = fork();
    if (child == 0)
        works();
    sleep(3);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    return 0;
}
