/* A thread closes a number a second time, by right: the new connection was handed to it, and it has read from it. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_barrier_t barrier;
static int ends[2];

static void *serve(void *unused)
{
    char text[16];
    for (int served = 0; served < 2; served++) {
        pthread_barrier_wait(&barrier);
        (void)!recv(ends[0], text, sizeof text, 0);
        close(ends[0]);
        pthread_barrier_wait(&barrier);
    }
    return unused;
}

int main(void)
{
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, serve, NULL);
    for (int made = 0; made < 2; made++) {
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
        send(ends[1], "hello\n", 6, MSG_NOSIGNAL);
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        close(ends[1]);
    }
    shutdown(ends[0], SHUT_RDWR); /* too late: a use after close, but no double close */
    pthread_join(thread, NULL);
    return 0;
}
