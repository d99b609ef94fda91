/* An echo server that takes a client who has left out of its set, and closes the connection. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in address = {.sin_family = AF_INET};

static int start_listening(int backlog)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&address, length);
    listen(listener, backlog);
    getsockname(listener, (struct sockaddr *)&address, &length);
    return listener;
}

static void start_clients(int listener)
{
    char echo[16];
    if (fork() == 0) {
        close(listener);
        for (int i = 0; i < 4; i++) {
            int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            connect(fd, (struct sockaddr *)&address, sizeof address);
            send(fd, "hello\n", 6, MSG_NOSIGNAL);
            recv(fd, echo, sizeof echo, 0);
            close(fd);
        }
        _exit(0);
    }
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int main(void)
{
    char text[64];
    struct epoll_event event;
    int listener = start_listening(128);
    start_clients(listener);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener);
    while (epoll_wait(epoll, &event, 1, 100) > 0) {
        if (event.data.fd == listener) {
            watch(epoll, accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
            continue;
        }
        ssize_t size = recv(event.data.fd, text, sizeof text, 0);
        if (size > 0) {
            send(event.data.fd, text, (size_t)size, MSG_NOSIGNAL);
        } else {
            epoll_ctl(epoll, EPOLL_CTL_DEL, event.data.fd, NULL);
            close(event.data.fd);
        }
    }
    wait(NULL);
    return 0;
}
