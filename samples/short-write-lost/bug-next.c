/* Writes record after record to a slow reader, whatever the pipe has taken of each. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char record[30000];

int main(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return 1;
    pid_t reader = fork();
    if (reader == 0) {
        static char data[20000];
        close(ends[1]);
        while (read(ends[0], data, sizeof data) > 0)
            nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
        _exit(0);
    }
    close(ends[0]);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    for (char what = 'a'; what <= 'm'; what++) {
        memset(record, what, sizeof record);
        if (write(ends[1], record, sizeof record) < 0)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    close(ends[1]);
    waitpid(reader, NULL, 0);
    return 0;
}
