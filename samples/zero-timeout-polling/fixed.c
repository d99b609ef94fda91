/* A program that waits for news of its child or a request to stop, which SIGTERM makes by ending the wait. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void ask_to_stop(int signal)
{
    (void)signal;
    stop = 1;
}

int main(void)
{
    int ends[2];
    char line[64];
    sigset_t only, before;
    sigemptyset(&only);
    sigaddset(&only, SIGTERM);
    sigprocmask(SIG_BLOCK, &only, &before);
    signal(SIGTERM, ask_to_stop);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return 1;
    if (fork() == 0) {
        usleep(30000);
        _exit(write(ends[1], "done\n", 5) != 5);
    }
    struct pollfd entry = {.fd = ends[0], .events = POLLIN};
    while (!stop)
        if (ppoll(&entry, 1, NULL, &before) == 1 && read(ends[0], line, sizeof line) > 0)
            break;
    wait(NULL);
    return 0;
}
