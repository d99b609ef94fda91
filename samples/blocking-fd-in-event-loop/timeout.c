/* A client that asks select for room, with a time-out, and then writes more than there is room for: the time-out does not
 * cover the write. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

static char text[200000];

/* A reader that is slow to begin. */
static void reader(int fd)
{
    static char part[sizeof text];
    usleep(50000);
    while (read(fd, part, sizeof part) > 0)
        continue;
    _exit(0);
}

int main(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return 1;
    if (fork() == 0) {
        close(ends[1]);
        reader(ends[0]);
    }
    close(ends[0]);
    fd_set room;
    FD_ZERO(&room);
    FD_SET(ends[1], &room);
    struct timeval limit = {.tv_usec = 10000};
    if (select(ends[1] + 1, NULL, &room, NULL, &limit) == 1 && write(ends[1], text, sizeof text) < 0)
        return 1;
    close(ends[1]);
    wait(NULL);
    return 0;
}
