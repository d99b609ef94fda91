/* flags: -pthread */
/* The thread releases one lock before it takes the other. */
#define FIXED
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t accounts = PTHREAD_MUTEX_INITIALIZER, journal = PTHREAD_MUTEX_INITIALIZER;

static void *transfer(void *unused)
{
    pthread_mutex_lock(&journal);
    usleep(100000);
#ifdef FIXED
    pthread_mutex_unlock(&journal);
#endif
    pthread_mutex_lock(&accounts);
    return unused;
}

int main(void)
{
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        pthread_mutex_lock(&accounts);
        pthread_create(&thread, NULL, transfer, NULL);
        usleep(50000);
        pthread_mutex_lock(&journal);
        pthread_mutex_unlock(&accounts);
        pthread_join(thread, NULL);
        _exit(0);
    }
    usleep(500000);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return 0;
}
