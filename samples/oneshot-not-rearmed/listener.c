/* A server that watches its listener with EPOLLONESHOT and never re-arms it: the second client gets no answer. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
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

/* Two clients, one after the other; each waits for a greeting. */
static void clients(void)
{
    for (int turn = 0; turn < 2; turn++) {
        char greeting[64];
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connect(fd, (struct sockaddr *)&address, sizeof address);
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, 100) != 1)
            _exit(1);
        recv(fd, greeting, sizeof greeting, 0);
        close(fd);
    }
    _exit(0);
}

int main(void)
{
    int listener = start_listening();
    if (fork() == 0) {
        close(listener);
        clients();
    }
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    struct epoll_event ready;
    while (epoll_wait(epoll, &ready, 1, 400) == 1) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        send(fd, "welcome\n", 8, MSG_NOSIGNAL);
        close(fd);
    }
    wait(NULL);
    return 0;
}
