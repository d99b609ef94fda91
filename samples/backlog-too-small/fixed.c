/* A server that is busy for a moment while five clients connect; its queue has room for all. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
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

/* Five clients at once, each with patience for 0.3 s. */
static void start_clients(int listener)
{
    if (fork() == 0) {
        struct pollfd clients[5];
        int served = 0;
        close(listener);
        for (int i = 0; i < 5; i++) {
            clients[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            clients[i].events = POLLOUT;
            connect(clients[i].fd, (struct sockaddr *)&address, sizeof address);
        }
        for (int i = 0; i < 5; i++) {
            int error = 0;
            socklen_t length = sizeof error;
            if (poll(&clients[i], 1, 100) == 1 &&
                getsockopt(clients[i].fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0)
                served++;
            close(clients[i].fd);
        }
        printf("%d of 5 connected\n", served);
        fflush(stdout);
        _exit(0);
    }
}

int main(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int fd, listener = start_listening(SOMAXCONN);
    start_clients(listener);
    fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    usleep(60000);
    while (epoll_wait(epoll, &event, 1, 400) > 0)
        while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
            close(fd);
    wait(NULL);
    return 0;
}
