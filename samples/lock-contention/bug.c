/* Three workers count words in one table under one mutex, and each holds it for all of its work. */
#include <pthread.h>
#include <time.h>

enum { WORKERS = 3, ROUNDS = 12, STRIPES = 8 };

static pthread_mutex_t locks[STRIPES];
static int table[STRIPES];

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

/* 20 ms of work of the processor; the clock is read without a system call. */
static void count(int *counter)
{
    for (double end = now() + 0.02; now() < end;)
        ++*counter;
}

static void *work(void *number)
{
    int stripe = 0;
#ifdef FIXED
    stripe = (int)(long)number;
#endif
    (void)number;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_mutex_lock(&locks[stripe]);
        count(&table[stripe]);
        pthread_mutex_unlock(&locks[stripe]);
    }
    return NULL;
}

int main(void)
{
    pthread_t workers[WORKERS];
    for (int i = 0; i < STRIPES; i++)
        pthread_mutex_init(&locks[i], NULL);
    for (long i = 0; i < WORKERS; i++)
        pthread_create(&workers[i], NULL, work, (void *)i);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    return 0;
}
