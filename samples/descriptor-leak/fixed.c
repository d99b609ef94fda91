/* Each request takes a lock on the order book; if somebody else has it, the request is put off, and the file is closed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int order(const char *line)
{
    int book = open("orders", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (book < 0)
        return -1;
    if (flock(book, LOCK_EX | LOCK_NB) != 0) {
        close(book);
        return -1;
    }
    int done = write(book, line, strlen(line)) > 0 ? 0 : -1;
    close(book);
    return done;
}

int main(void)
{
    char line[32];
    for (int number = 0; number < 48; number++) {
        int other = -1;
        if (number % 3 != 0) { /* another clerk is at work */
            other = open("orders", O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
            flock(other, LOCK_SH);
        }
        snprintf(line, sizeof line, "order %d\n", number);
        order(line);
        if (other >= 0)
            close(other);
        usleep(1000);
    }
    return 0;
}
