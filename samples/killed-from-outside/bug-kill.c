/* A worker that is killed by force, as the kernel does when memory runs out: nothing can be done in the program itself. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Stands for systemd, docker stop or a user: strace does not follow it. */
static void be_supervised(pid_t worker)
{
    if (syscall(SYS_clone, CLONE_UNTRACED, 0, 0, 0, 0) == 0) {
        usleep(200000);
        kill(worker, SIGKILL);
        _exit(0);
    }
}

int main(void)
{
    be_supervised(getpid());
    int fd = open("records.partial", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    for (int i = 0; i < 30; i++) {
        if (write(fd, "record\n", 7) != 7)
            return 1;
        usleep(30000);
    }
    return rename("records.partial", "records.done") != 0;
}
