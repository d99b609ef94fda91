/* A child takes a lock; its signal handler takes the same lock. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void handle(int number)
{
    (void)number;
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
}

int main(void)
{
    pid_t child = fork();
    if (child == 0) {
        signal(SIGUSR1, handle);
        pthread_mutex_lock(&lock);
        raise(SIGUSR1);
        pthread_mutex_unlock(&lock);
        _exit(0);
    }
    usleep(300000);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return 0;
}
