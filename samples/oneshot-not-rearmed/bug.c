/* A server that takes a request in two pieces: it re-arms the connection after an answer, but not after the first piece. */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A client whose request arrives in two pieces. */
static void client(int fd)
{
    char answer[64];
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    send(fd, "GET / ", 6, MSG_NOSIGNAL);
    usleep(50000);
    send(fd, "HTTP/1.0\n", 9, MSG_NOSIGNAL);
    if (poll(&wait, 1, 200) != 1)
        _exit(1);
    _exit(recv(fd, answer, sizeof answer, 0) > 0 ? 0 : 1);
}

static void arm(int epoll, int operation, int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = fd};
    epoll_ctl(epoll, operation, fd, &event);
}

/* Takes what has come of a request; returns whether it is whole. */
static int take(int fd)
{
    static char request[512];
    static size_t length;
    ssize_t size = recv(fd, request + length, sizeof request - length, MSG_DONTWAIT);
    length += size > 0 ? size : 0;
    return length > 0 && request[length - 1] == '\n';
}

static void serve(int epoll, int fd)
{
    if (!take(fd))
        return;
    send(fd, "200 OK\n", 7, MSG_NOSIGNAL);
    arm(epoll, EPOLL_CTL_MOD, fd);
}

int main(void)
{
    int pair[2], epoll = epoll_create1(EPOLL_CLOEXEC);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    if (fork() == 0) {
        close(epoll);
        close(pair[0]);
        client(pair[1]);
    }
    close(pair[1]);
    arm(epoll, EPOLL_CTL_ADD, pair[0]);
    /* A real server waits for ever; this one gives up. */
    struct epoll_event ready;
    while (epoll_wait(epoll, &ready, 1, 400) == 1)
        serve(epoll, ready.data.fd);
    wait(NULL);
    return 0;
}
