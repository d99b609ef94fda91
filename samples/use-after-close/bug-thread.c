/* One thread closes the connection to stop the other, which then sends on a number that is closed. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2];

static void *report(void *unused)
{
    while (send(ends[0], "alive\n", 6, MSG_NOSIGNAL) == 6)
        usleep(20000);
    perror("report");
    return unused;
}

int main(void)
{
    pthread_t thread;
    char text[16];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
    pthread_create(&thread, NULL, report, NULL);
    (void)!read(ends[1], text, sizeof text);
    close(ends[0]);
    pthread_join(thread, NULL);
    close(ends[1]);
    return 0;
}
