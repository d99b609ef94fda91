/* The same server: it answers first, and has done with the client when it has dropped it. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void drop(int fd)
{
    close(fd);
}

static void serve(int fd)
{
    char request[16];
    ssize_t size;
    while ((size = recv(fd, request, sizeof request, 0)) > 0) {
        if (send(fd, "ok\n", 3, MSG_NOSIGNAL) < 0 || strncmp(request, "quit", 4) == 0)
            break;
    }
    drop(fd);
}

int main(void)
{
    int ends[2];
    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
    send(ends[1], "hello\n", 6, MSG_NOSIGNAL); /* the client */
    send(ends[1], "quit\n", 5, MSG_NOSIGNAL);
    serve(ends[0]);
    return 0;
}
