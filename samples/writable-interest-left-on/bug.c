/* A server that asks for EPOLLOUT when an answer does not fit into the socket's buffer, and forgets to take that back
 * once all of it is sent. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER = 100000, ROOM = 16384 };

static struct sockaddr_in address = {.sin_family = AF_INET};
static char answer[ANSWER];
static ssize_t left;

static int start_listening(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), room = ROOM;
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    bind(listener, (struct sockaddr *)&address, length);
    listen(listener, 128);
    getsockname(listener, (struct sockaddr *)&address, &length);
    return listener;
}

/* A client that asks, reads the whole answer, thinks and leaves. */
static void client(int listener)
{
    if (fork() != 0)
        return;
    close(listener);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    send(fd, "all\n", 4, MSG_NOSIGNAL);
    recv(fd, answer, ANSWER, MSG_WAITALL);
    usleep(3000);
    _exit(0);
}

static void watch(int epoll, int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(epoll, operation, fd, &event);
}

/* Sends what is left of the answer; asks to be told when there is room for more. */
static void send_on(int epoll, int fd)
{
    ssize_t sent = send(fd, answer + ANSWER - left, left, MSG_NOSIGNAL);
    if (sent > 0)
        left -= sent;
    if (left > 0)
        watch(epoll, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT);
}

int main(void)
{
    int listener = start_listening();
    client(listener);
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
    for (;;) {
        struct epoll_event ready;
        char line[64];
        if (epoll_wait(epoll, &ready, 1, 1000) != 1)
            break;
        if (ready.events & EPOLLIN) {
            if (recv(fd, line, sizeof line, 0) <= 0)
                break;
            left = ANSWER;
            send_on(epoll, fd);
        } else if (left > 0)
            send_on(epoll, fd);
    }
    close(fd);
    wait(NULL);
    return 0;
}
