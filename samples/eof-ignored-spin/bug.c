/* An echo server that takes a read of 0 bytes for nothing to do: when a client has left the loop spins. */
#define _GNU_SOURCE
#include <arpa/inet.h>
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

/* A client that asks, reads the echo and leaves. */
static void client(int listener)
{
    char echo[64];
    if (fork() != 0)
        return;
    close(listener);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    send(fd, "hello\n", 6, MSG_NOSIGNAL);
    recv(fd, echo, sizeof echo, 0);
    _exit(0);
}

static void watch(int epoll, int operation, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, operation, fd, &event);
}

static void serve(int fd)
{
    char line[64];
    ssize_t size = recv(fd, line, sizeof line, 0);
    if (size > 0)
        send(fd, line, size, MSG_NOSIGNAL);
}

int main(void)
{
    int listener = start_listening();
    client(listener);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, EPOLL_CTL_ADD, listener);
    /* A real server turns for ever; this one gives up. */
    for (int turn = 0; turn < 30; turn++) {
        struct epoll_event ready;
        if (epoll_wait(epoll, &ready, 1, 100) != 1)
            break;
        if (ready.data.fd == listener)
            watch(epoll, EPOLL_CTL_ADD, accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
        else
            serve(ready.data.fd);
    }
    wait(NULL);
    return 0;
}
