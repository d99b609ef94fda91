/* Two threads share a connection, and each closes it when it is done. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2];

static void *receive(void *unused)
{
    char text[16];
    while (recv(ends[0], text, sizeof text, 0) > 0)
        continue;
    close(ends[0]);
    return unused;
}

int main(void)
{
    pthread_t thread;
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
    pthread_create(&thread, NULL, receive, NULL);
    send(ends[1], "hello\n", 6, MSG_NOSIGNAL);
    close(ends[1]);
    pthread_join(thread, NULL);
    close(ends[0]);
    return 0;
}
