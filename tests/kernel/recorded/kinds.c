/* One descriptor of each kind that has a call of its own. */
#define _GNU_SOURCE
#include <linux/io_uring.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

int main(void)
{
    sigset_t set;
    struct io_uring_params ring = {0};
    int made[8];

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    made[0] = eventfd(0, EFD_CLOEXEC);
    made[1] = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    made[2] = signalfd(-1, &set, SFD_CLOEXEC);
    made[3] = inotify_init1(0);
    made[4] = syscall(SYS_pidfd_open, getpid(), 0);
    made[5] = memfd_create("scratch", 0);
    made[6] = epoll_create1(0);
    made[7] = syscall(SYS_io_uring_setup, 4, &ring);
    for (int at = 0; at < 8; at++)
        close(made[at]);
    return 0;
}
