/* A relay that stops reading its source while the sink is full, but goes on waiting for the source: until the sink has
 * room again each poll returns at once. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK = 4096, BLOCKS = 4 };

static char buffer[BLOCK];
static ssize_t held;

/* Starts a child that sends blocks into a pipe; returns the end to read from. */
static int start_source(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        _exit(1);
    if (fork() == 0) {
        for (int i = 0; i < BLOCKS; i++)
            if (write(ends[1], buffer, BLOCK) != BLOCK)
                _exit(1);
        usleep(100000);
        _exit(0);
    }
    close(ends[1]);
    return ends[0];
}

/* Starts a child that takes its time once there is something to read; returns the end to write to, with room for one
 * block. */
static int start_sink(int source)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        _exit(1);
    fcntl(ends[1], F_SETPIPE_SZ, BLOCK);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    if (fork() == 0) {
        close(source);
        close(ends[1]);
        poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, 1000);
        usleep(5000);
        while (read(ends[0], buffer, BLOCK) > 0)
            continue;
        _exit(0);
    }
    close(ends[0]);
    return ends[1];
}

int main(void)
{
    int source = start_source(), sink = start_sink(source);
    for (int sent = 0; sent < BLOCKS;) {
        struct pollfd ends[2] = {{.fd = source, .events = POLLIN}, {.fd = sink, .events = held ? POLLOUT : 0}};
        if (poll(ends, 2, 1000) <= 0)
            break;
        if (ends[1].revents & POLLOUT && write(sink, buffer, held) == held) {
            held = 0;
            sent++;
        }
        if (ends[0].revents & POLLIN && held == 0)
            held = read(source, buffer, BLOCK);
    }
    close(sink);
    while (wait(NULL) > 0)
        continue;
    return 0;
}
