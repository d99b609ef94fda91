/* A program that closes an epoll set while a thread of it still waits on it, and takes an error for nothing to do. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <unistd.h>

static int epoll;
static atomic_int stop;

static void *serve(void *none)
{
    struct epoll_event ready;
    while (!atomic_load(&stop))
        if (epoll_wait(epoll, &ready, 1, 2) > 0)
            continue; /* ... handle it ... */
    return none;
}

int main(void)
{
    pthread_t server;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    pthread_create(&server, NULL, serve, NULL);
    usleep(3000);
    close(epoll);
    usleep(3000); /* ... other things to be ended ... */
    atomic_store(&stop, 1);
    pthread_join(server, NULL);
    return 0;
}
