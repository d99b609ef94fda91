/* A server whose connections are non-blocking: when one client stops in the middle of its request, the others are served. */
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

static int visit(const char *text, size_t size)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    send(fd, text, size, MSG_NOSIGNAL);
    return fd;
}

/* Two clients: the first stops in the middle for 0.2 s, the second asks meanwhile. */
static void clients(int listener)
{
    char answer[64];
    if (fork() != 0)
        return;
    close(listener);
    int slow = visit("hel", 3);
    usleep(10000);
    int quick = visit("hello\n", 6);
    usleep(200000);
    send(slow, "lo\n", 3, MSG_NOSIGNAL);
    recv(quick, answer, sizeof answer, 0);
    recv(slow, answer, sizeof answer, 0);
    _exit(0);
}

static void watch(int epoll, int operation, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, operation, fd, &event);
}

/* Reads what is there; answers at the end of the line. */
static void serve(int epoll, int fd)
{
    char buffer[64];
    ssize_t size;
    while ((size = recv(fd, buffer, sizeof buffer, 0)) > 0)
        if (buffer[size - 1] == '\n')
            break;
    if (size > 0)
        send(fd, "hello yourself\n", 15, MSG_NOSIGNAL);
    if (size == 0) {
        watch(epoll, EPOLL_CTL_DEL, fd);
        close(fd);
    }
}

int main(void)
{
    int listener = start_listening();
    clients(listener);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, EPOLL_CTL_ADD, listener);
    struct epoll_event ready;
    while (epoll_wait(epoll, &ready, 1, 400) == 1) {
        if (ready.data.fd == listener)
            watch(epoll, EPOLL_CTL_ADD, accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
        else
            serve(epoll, ready.data.fd);
    }
    wait(NULL);
    return 0;
}
