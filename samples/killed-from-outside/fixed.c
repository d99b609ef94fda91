/* SIGTERM only asks the loop to end: the records so far are kept. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile sig_atomic_t stopping;

static void stop(int number)
{
    (void)number;
    stopping = 1;
}

/* Stands for systemd, docker stop or a user: strace does not follow it. */
static void be_supervised(pid_t worker)
{
    if (syscall(SYS_clone, CLONE_UNTRACED, 0, 0, 0, 0) == 0) {
        usleep(200000);
        kill(worker, SIGTERM);
        _exit(0);
    }
}

int main(void)
{
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    be_supervised(getpid());
    int fd = open("records.partial", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    for (int i = 0; i < 30 && !stopping; i++) {
        if (write(fd, "record\n", 7) != 7)
            return 1;
        usleep(30000);
    }
    return rename("records.partial", "records.done") != 0;
}
