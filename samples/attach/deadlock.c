/* Two threads take two locks in opposite order, and a third thread waits for the first of them. Recorded by record.sh. */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t accounts = PTHREAD_MUTEX_INITIALIZER, journal = PTHREAD_MUTEX_INITIALIZER;

static void *transfer(void *unused) {
    (void)unused;
    pthread_mutex_lock(&accounts);
    usleep(200000);
    pthread_mutex_lock(&journal);
    return NULL;
}

static void *report(void *unused) {
    (void)unused;
    pthread_mutex_lock(&journal);
    usleep(200000);
    pthread_mutex_lock(&accounts);
    return NULL;
}

int main(void) {
    pthread_t one, other;
    pthread_create(&one, NULL, transfer, NULL);
    pthread_create(&other, NULL, report, NULL);
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    return 0;
}
