/* A reader with a buffer: poll reports the pipe readable while the lines that an earlier read fetched are handed out one
 * by one, so that nothing is wasted but the wait. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCHES = 2 };

static const char lines[] = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";

int main(void)
{
    int ends[2];
    char line[16];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return 1;
    if (fork() == 0) {
        for (int i = 0; i < BATCHES; i++) {
            if (write(ends[1], lines, strlen(lines)) < 0)
                _exit(1);
            usleep(20000);
        }
        _exit(0);
    }
    close(ends[1]);
    usleep(10000);
    struct pollfd watched = {.fd = ends[0], .events = POLLIN};
    FILE *in = fdopen(ends[0], "r");
    /* The second batch arrives while the lines of the first are handed out. */
    if (in == NULL || fgets(line, sizeof line, in) == NULL)
        return 1;
    usleep(30000);
    while (poll(&watched, 1, 1000) == 1 && fgets(line, sizeof line, in) != NULL)
        ;
    wait(NULL);
    return 0;
}
