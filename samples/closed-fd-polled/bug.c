/* A supervisor that waits for lines of two children and closes the pipe of one that is gone, but leaves its entry: from
 * then on each poll returns at once. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starts a child that works for a while, reports and exits; returns the pipe that it reports through. */
static int start_child(useconds_t work)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        _exit(1);
    if (fork() == 0) {
        usleep(work);
        _exit(write(ends[1], "done\n", 5) != 5);
    }
    close(ends[1]);
    return ends[0];
}

int main(void)
{
    char line[64];
    struct pollfd pipes[2] = {
        {.fd = start_child(0), .events = POLLIN},
        {.fd = start_child(8000), .events = POLLIN},
    };
    for (int left = 2; left > 0;) {
        if (poll(pipes, 2, 1000) <= 0)
            break;
        for (int i = 0; i < 2; i++)
            if (pipes[i].revents & (POLLIN | POLLHUP) && read(pipes[i].fd, line, sizeof line) <= 0) {
                close(pipes[i].fd);
                left--;
            }
    }
    while (wait(NULL) > 0)
        continue;
    return 0;
}
