/* A connection is non-blocking already. To be told by SIGIO too, it is given O_ASYNC, and is blocking again. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    int ends[2];
    char text[16];
    signal(SIGIO, SIG_IGN);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
    fcntl(ends[0], F_SETOWN, getpid());
    fcntl(ends[0], F_SETFL, O_ASYNC);
    if (fork() == 0) {
        usleep(200000);
        (void)!write(ends[1], "late\n", 5);
        _exit(0);
    }
    (void)!read(ends[0], text, sizeof text); /* was to give EAGAIN */
    return 0;
}
