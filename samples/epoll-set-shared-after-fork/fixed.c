/* A supervisor that forks a worker; the worker closes what it does not need, and leaves the set as it is. */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Serves one request in the background; the control connection is the supervisor's affair. */
static void work(int epoll, int control)
{
    close(control);
    close(epoll);
    usleep(50000);
    _exit(0);
}

int main(void)
{
    int pair[2], epoll = epoll_create1(EPOLL_CLOEXEC);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    watch(epoll, pair[0]);
    if (fork() == 0)
        work(epoll, pair[0]);
    usleep(20000);
    send(pair[1], "reload\n", 7, MSG_NOSIGNAL);
    /* A real supervisor waits for ever; this one gives up. */
    struct epoll_event ready;
    char command[64];
    while (epoll_wait(epoll, &ready, 1, 100) == 1)
        recv(ready.data.fd, command, sizeof command, 0);
    wait(NULL);
    return 0;
}
