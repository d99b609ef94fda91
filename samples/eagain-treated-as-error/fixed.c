/* The socket is non-blocking: on EAGAIN it waits in poll, and then reads once more. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void answer_later(int fd)
{
    struct timespec while_working = { 0, 20 * 1000 * 1000 };
    nanosleep(&while_working, NULL);
    signal(SIGPIPE, SIG_IGN);
    _exit(write(fd, "done\n", 5) != 5);
}

int main(void)
{
    int ends[2];
    char answer[16];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return 1;
    if (fork() == 0) {
        close(ends[0]);
        answer_later(ends[1]);
    }
    close(ends[1]);
    ssize_t got;
    while ((got = read(ends[0], answer, sizeof answer)) < 0 && errno == EAGAIN) {
        struct pollfd readable = { ends[0], POLLIN, 0 };
        poll(&readable, 1, -1);
    }
    if (got < 0)
        perror("read from worker");
    close(ends[0]);
    wait(NULL);
    return got == 5 ? 0 : 1;
}
