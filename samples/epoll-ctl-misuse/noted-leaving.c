/* A worker that starts while its server stops: the pipe to the server is closed, and the worker asks to watch fd -1. It sees that,
   and ends without a wait. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

static int worker(int order)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, order, &event) != 0) {
        close(epoll);
        return 0;
    }
    return epoll_wait(epoll, &event, 1, -1) != 1;
}

int main(void)
{
    int orders[2];
    if (pipe2(orders, O_CLOEXEC) != 0)
        return 1;
    close(orders[0]);
    close(orders[1]);
    orders[0] = -1;
    if (fork() == 0)
        _exit(worker(orders[0]));
    wait(NULL);
    return 0;
}
