/* The first thread ends; the other one waits for a mutex that it has locked itself. */
#include <pthread.h>

static pthread_mutex_t journal = PTHREAD_MUTEX_INITIALIZER;

static void *report(void *unused) {
    (void)unused;
    pthread_mutex_lock(&journal);
    pthread_mutex_lock(&journal);
    return NULL;
}

int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, report, NULL);
    pthread_exit(NULL);
}
