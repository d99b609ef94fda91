/* The same ticker: who has hung up is closed and forgotten before the next tick. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in address = {.sin_family = AF_INET};
static int subscriber = -1;

static int start_listening(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&address, length);
    listen(listener, 128);
    getsockname(listener, (struct sockaddr *)&address, &length);
    return listener;
}

/* A client that leaves with part of a tick unread: the kernel then tells the ticker by a reset. */
static void client(int listener)
{
    if (fork() == 0) {
        char tick[16];
        close(listener);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connect(fd, (struct sockaddr *)&address, sizeof address);
        recv(fd, tick, 2, 0);
        _exit(0);
    }
}

static void watch(int epoll, int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void send_tick(void)
{
    if (subscriber >= 0 && send(subscriber, "tick\n", 5, MSG_NOSIGNAL) < 0) {
        close(subscriber);
        subscriber = -1;
    }
}

static void hung_up(void)
{
    static const char text[] = "a subscriber has left\n";
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    close(subscriber);
    subscriber = -1;
}

int main(void)
{
    int listener = start_listening();
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener, EPOLLIN);
    client(listener);
    for (int turn = 0; turn < 4; turn++) {
        struct epoll_event ready;
        if (epoll_wait(epoll, &ready, 1, 100) != 1) {
            send_tick();
        } else if (ready.data.fd == listener) {
            subscriber = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            watch(epoll, subscriber, EPOLLRDHUP | EPOLLET);
            send_tick();
        } else {
            hung_up();
        }
    }
    wait(NULL);
    return 0;
}
