/* A server that writes to its clients through stdio, over a copy of the descriptor, and forgets the copy when it closes. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    int fd;
    FILE *out;
} guest;

static void watch(int epoll, int operation, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, operation, fd, &event);
}

static void open_guest(int epoll, int fd)
{
    guest.fd = fd;
    guest.out = fdopen(dup(fd), "w");
    watch(epoll, EPOLL_CTL_ADD, fd);
}

static void close_guest(void)
{
    close(guest.fd);
    guest.fd = -1;
}

/* A client that says hello, reads the answer and leaves. */
static void client(int fd)
{
    char answer[64];
    if (write(fd, "hello\n", 6) == 6 && read(fd, answer, sizeof answer) > 0)
        _exit(0);
    _exit(1);
}

int main(void)
{
    char line[64];
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    if (fork() == 0) {
        close(pair[0]);
        client(pair[1]);
    }
    close(pair[1]);

    int epoll = epoll_create1(EPOLL_CLOEXEC);
    open_guest(epoll, pair[0]);
    /* A real server turns for ever; this one gives up. */
    for (int turn = 0; turn < 20; turn++) {
        struct epoll_event ready;
        if (epoll_wait(epoll, &ready, 1, 50) != 1)
            break;
        if (guest.fd == -1) {
            /* An event for nobody. */
            watch(epoll, EPOLL_CTL_DEL, ready.data.fd);
        } else if (read(ready.data.fd, line, sizeof line) > 0) {
            fputs("hello yourself\n", guest.out);
            fflush(guest.out);
        } else {
            close_guest();
        }
    }
    wait(NULL);
    return 0;
}
