/* A loop that hands what is ready to a thread and goes on waiting: it is woken again until the thread gets at it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { JOBS = 2 };

static int ends[2];
static sem_t todo, ready;

static void *work(void *none)
{
    char job;
    sem_post(&ready);
    for (int done = 0; done < JOBS; done++) {
        sem_wait(&todo);
        if (read(ends[0], &job, 1) != 1)
            break;
    }
    return none;
}

int main(void)
{
    pthread_t worker;
    int epoll = epoll_create1(EPOLL_CLOEXEC), handed = 0;
    struct epoll_event event = {.events = EPOLLIN};
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return 1;
    epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
    sem_init(&todo, 0, 0);
    sem_init(&ready, 0, 0);
    pthread_create(&worker, NULL, work, NULL);
    sem_wait(&ready);
    for (int jobs = 0; jobs < JOBS; jobs++) {
        if (write(ends[1], "x", 1) != 1)
            return 1;
        handed = 0;
        while (epoll_wait(epoll, &event, 1, 1) == 1)
            if (!handed++)
                sem_post(&todo);
    }
    pthread_join(worker, NULL);
    return 0;
}
