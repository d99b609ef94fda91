/* The socket is non-blocking, and EAGAIN is taken for a failure: the answer comes 20 ms later, to a closed door. */
#define _GNU_SOURCE
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
    ssize_t got = read(ends[0], answer, sizeof answer);
    if (got < 0)
        perror("read from worker");
    close(ends[0]);
    wait(NULL);
    return got == 5 ? 0 : 1;
}
