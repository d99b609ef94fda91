/* A server that asks for EPOLLOUT with EPOLL_CTL_MOD, since the descriptor is in the set already. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char answer[300000];
static size_t sent;

/* A client that asks and reads until the answer is whole, or nothing comes for 0.1 s. */
static void client(int fd)
{
    static char part[sizeof answer];
    size_t size = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (write(fd, "GET /\n", 6) != 6)
        _exit(1);
    usleep(10000);
    while (size < sizeof answer && poll(&wait, 1, 100) == 1) {
        ssize_t got = read(fd, part, sizeof part);
        if (got <= 0)
            break;
        size += got;
    }
    _exit(size < sizeof answer);
}

static void watch(int epoll, int operation, int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(epoll, operation, fd, &event);
}

/* Sends what the socket takes; asks to be told when it takes more. */
static void send_answer(int epoll, int fd)
{
    ssize_t size = send(fd, answer + sent, sizeof answer - sent, MSG_NOSIGNAL);
    if (size > 0)
        sent += size;
    if (sent < sizeof answer)
        watch(epoll, EPOLL_CTL_MOD, fd, EPOLLOUT);
}

int main(void)
{
    char request[64];
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    if (fork() == 0) {
        close(pair[0]);
        client(pair[1]);
    }
    close(pair[1]);
    fcntl(pair[0], F_SETFL, fcntl(pair[0], F_GETFL) | O_NONBLOCK);

    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, EPOLL_CTL_ADD, pair[0], EPOLLIN);
    while (sent < sizeof answer) {
        struct epoll_event ready;
        if (epoll_wait(epoll, &ready, 1, 200) != 1)
            break;
        if (ready.events & EPOLLIN && recv(pair[0], request, sizeof request, 0) <= 0)
            break;
        send_answer(epoll, pair[0]);
    }
    close(pair[0]);
    wait(NULL);
    return 0;
}
