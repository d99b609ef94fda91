/* A parent that writes on to a child which has ended. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int ends[2];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
    if (fork() == 0) {
        char order[16];
        close(ends[0]);
        (void)!read(ends[1], order, sizeof order);
        _exit(0);
    }
    close(ends[1]);
    send(ends[0], "first\n", 6, MSG_NOSIGNAL);
    wait(NULL);
    if (send(ends[0], "second\n", 7, MSG_NOSIGNAL) < 0)
        perror("send");
    close(ends[0]);
    return 0;
}
