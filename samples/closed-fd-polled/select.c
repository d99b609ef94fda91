/* A server that closes a connection and forgets FD_CLR: the next select fails, and takes the whole server down. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starts a client that says one thing and leaves, or one that stays; returns the connection to it. */
static int start_client(useconds_t stay)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        _exit(1);
    if (fork() == 0) {
        close(ends[0]);
        send(ends[1], "hello\n", 6, MSG_NOSIGNAL);
        usleep(stay);
        _exit(0);
    }
    close(ends[1]);
    return ends[0];
}

int main(void)
{
    int clients[2] = {start_client(0), start_client(100000)};
    fd_set all, ready;
    char line[64];
    FD_ZERO(&all);
    FD_SET(clients[0], &all);
    FD_SET(clients[1], &all);
    for (;;) {
        ready = all;
        if (select(clients[1] + 1, &ready, NULL, NULL, NULL) < 0) {
            perror("select");
            return 1;
        }
        for (int i = 0; i < 2; i++)
            if (FD_ISSET(clients[i], &ready) && recv(clients[i], line, sizeof line, 0) <= 0)
                close(clients[i]);
    }
}
