#include <signal.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A timer with an interval of 100 ms, whose first expiration is left at zero: the child waits for ever. */
static int tick(void)
{
    struct itimerspec every = {.it_interval = {.tv_nsec = 100000000}};
    uint64_t times;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

    if (fd == -1 || timerfd_settime(fd, 0, &every, NULL) == -1)
        return 2;
    return read(fd, &times, sizeof times) != sizeof times;
}

int main(void)
{
    struct timespec second = {.tv_sec = 1};
    pid_t child = fork();

    if (child == 0)
        _exit(tick());
    nanosleep(&second, NULL);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    return 0;
}
