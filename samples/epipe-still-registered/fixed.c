/* A server that takes a descriptor out of the epoll set and closes it on EPIPE. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in address = {.sin_family = AF_INET};

static int start_listening(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&address, length);
    listen(listener, 128);
    getsockname(listener, (struct sockaddr *)&address, &length);
    return listener;
}

/* A client that asks and leaves without waiting for the answer. */
static void client(int listener)
{
    if (fork() == 0) {
        close(listener);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connect(fd, (struct sockaddr *)&address, sizeof address);
        send(fd, "GET /\r\n\r\n", 9, MSG_NOSIGNAL);
        _exit(0);
    }
    wait(NULL);
}

static void watch(int epoll, int operation, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, operation, fd, &event);
}

static bool put(int fd, const char *text, size_t size)
{
    return send(fd, text, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static void drop(int epoll, int fd)
{
    watch(epoll, EPOLL_CTL_DEL, fd);
    close(fd);
}

static void serve(int epoll, int fd)
{
    char request[512];
    if (recv(fd, request, sizeof request, 0) <= 0 || !put(fd, "HTTP/1.0 200 OK\r\n\r\n", 19) || !put(fd, "hello\n", 6))
        drop(epoll, fd);
}

int main(void)
{
    int listener = start_listening();
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, EPOLL_CTL_ADD, listener);
    client(listener);
    /* A real server turns for ever; this one gives up. */
    for (int turn = 0; turn < 40; turn++) {
        struct epoll_event ready;
        if (epoll_wait(epoll, &ready, 1, 50) != 1)
            break;
        if (ready.data.fd == listener)
            watch(epoll, EPOLL_CTL_ADD, accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
        else
            serve(epoll, ready.data.fd);
    }
    return 0;
}
