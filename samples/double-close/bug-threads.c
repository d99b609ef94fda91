/* One thread closes its file twice. Between the two another thread opens the log, gets the number, and loses it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_barrier_t barrier;

static void *keep_log(void *unused)
{
    pthread_barrier_wait(&barrier);
    int log = open("app.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    (void)!write(log, "started\n", 8);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    if (write(log, "stopped\n", 8) < 0)
        perror("app.log");
    return unused;
}

int main(void)
{
    pthread_t thread;
    char line[16];
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, keep_log, NULL);

    int file = open("/etc/shells", O_RDONLY | O_CLOEXEC);
    (void)!read(file, line, sizeof line);
    close(file);
    pthread_barrier_wait(&barrier); /* the log is opened now */
    pthread_barrier_wait(&barrier);
    close(file); /* meant for the file, hits the log */
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
    return 0;
}
