/* Three workers of a pool wait for work on a condition: they idle by design, and the mutex is free meanwhile. */
#include <pthread.h>
#include <unistd.h>

enum { WORKERS = 3, JOBS = 8 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static int jobs, over;

static void *work(void *unused)
{
    pthread_mutex_lock(&lock);
    for (;;) {
        while (jobs == 0 && !over)
            pthread_cond_wait(&more, &lock);
        if (jobs == 0)
            break;
        jobs--;
        pthread_mutex_unlock(&lock);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    return unused;
}

int main(void)
{
    pthread_t workers[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&workers[i], NULL, work, NULL);
    for (int i = 0; i < JOBS; i++) {
        usleep(5000);
        pthread_mutex_lock(&lock);
        jobs++;
        pthread_mutex_unlock(&lock);
        pthread_cond_signal(&more);
    }
    pthread_mutex_lock(&lock);
    over = 1;
    pthread_mutex_unlock(&lock);
    pthread_cond_broadcast(&more);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    return 0;
}
