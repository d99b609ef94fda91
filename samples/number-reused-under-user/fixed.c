/* The log is closed by its own thread, the only one that knows its number. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static pthread_barrier_t turn;
static int log_fd = -1;

static void say(int fd, const char *line)
{
    (void)!write(fd, line, strlen(line));
}

static void *logger(void *unused)
{
    log_fd = open("app.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    say(log_fd, "app: started\n");
    pthread_barrier_wait(&turn); /* the log is open */
    pthread_barrier_wait(&turn); /* the ledger is open */
    say(log_fd, "app: one order booked\n");
    close(log_fd);
    log_fd = -1;
    pthread_barrier_wait(&turn);
    return unused;
}

int main(void)
{
    pthread_t thread;
    pthread_barrier_init(&turn, NULL, 2);
    pthread_create(&thread, NULL, logger, NULL);
    pthread_barrier_wait(&turn);
    int ledger = open("ledger", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    say(ledger, "0001 +100\n");
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    say(ledger, "0002 -100\n");
    close(ledger);
    return pthread_join(thread, NULL);
}
