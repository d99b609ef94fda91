/* An edge-triggered server that reads once per wakeup: of a request that is longer than its buffer the rest stays unread,
 * and both sides wait. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A client that sends a request of 1000 bytes and waits for the answer. */
static void client(int fd)
{
    char request[1000], answer[64];
    memset(request, 'x', sizeof request);
    request[sizeof request - 1] = '\n';
    if (write(fd, request, sizeof request) != sizeof request)
        _exit(1);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, 100) == 1 && read(fd, answer, sizeof answer) > 0)
        _exit(0);
    _exit(2);
}

/* Returns whether the request is whole. */
static int take(int fd)
{
    char buffer[512];
    ssize_t size = read(fd, buffer, sizeof buffer);
    return size > 0 && buffer[size - 1] == '\n';
}

int main(void)
{
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    if (fork() == 0) {
        close(pair[0]);
        client(pair[1]);
    }
    close(pair[1]);
    fcntl(pair[0], F_SETFL, fcntl(pair[0], F_GETFL) | O_NONBLOCK);

    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = pair[0]};
    epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event);
    struct epoll_event ready;
    while (epoll_wait(epoll, &ready, 1, 50) == 1)
        if (take(ready.data.fd) && write(ready.data.fd, "thanks\n", 7) == 7)
            break;
    wait(NULL);
    return 0;
}
