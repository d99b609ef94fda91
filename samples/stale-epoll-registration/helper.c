/* A server that leaves a client to a helper process and closes its own descriptor, without taking it out of the set:
 * it goes on being woken for what the helper has not read yet. */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void client(int fd)
{
    char answer[64];
    if (write(fd, "hello\n", 6) == 6 && read(fd, answer, sizeof answer) > 0)
        _exit(0);
    _exit(1);
}

static void helper(int fd)
{
    char line[64];
    usleep(2000);
    if (read(fd, line, sizeof line) > 0)
        _exit(write(fd, "hello yourself\n", 15) != 15);
    _exit(1);
}

int main(void)
{
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    if (fork() == 0) {
        close(pair[0]);
        client(pair[1]);
    }
    close(pair[1]);

    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = pair[0]};
    epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event);
    for (int turn = 0; turn < 20; turn++) {
        struct epoll_event ready;
        if (epoll_wait(epoll, &ready, 1, 10) != 1)
            break;
        if (turn == 0) {
            if (fork() == 0)
                helper(ready.data.fd);
            close(ready.data.fd);
        }
    }
    while (wait(NULL) > 0)
        continue;
    return 0;
}
