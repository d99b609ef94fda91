/* EPIPE that has nothing to do with the peer: the program has shut down its own side before. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    int ends[2];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
    send(ends[0], "last word\n", 10, MSG_NOSIGNAL);
    shutdown(ends[0], SHUT_WR);
    if (send(ends[0], "one more\n", 9, MSG_NOSIGNAL) < 0)
        perror("send");
    close(ends[0]);
    close(ends[1]);
    return 0;
}
