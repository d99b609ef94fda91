/* Waits in poll, where SA_RESTART does not help, and calls it again; SIGTERM ends it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void noticed(int number) {
    if (number == SIGTERM)
        stop = 1;
}

int main(void) {
    struct sigaction action = {.sa_handler = noticed};
    sigaction(SIGCHLD, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    for (int turn = 1; turn <= 2; turn++)
        if (fork() == 0) {
            nanosleep(&(struct timespec){.tv_nsec = turn * 20000000}, NULL);
            _exit(turn == 2 && kill(getppid(), SIGTERM) < 0);
        }
    while (!stop)
        if (poll(NULL, 0, 1000) < 0 && errno != EINTR)
            return 1;
    while (wait(NULL) > 0 || errno == EINTR)
        ;
    return 0;
}
