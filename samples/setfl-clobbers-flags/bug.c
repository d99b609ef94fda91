/* Two writers append to one log. The first makes its descriptor non-blocking, and no longer appends: it overwrites. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

static int open_log(void)
{
    return open("app.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static void put(int log, const char *line, size_t size)
{
    (void)!write(log, line, size);
}

static void set_nonblocking(int fd)
{
    fcntl(fd, F_SETFL, O_NONBLOCK);
}

int main(void)
{
    int first = open_log();
    int second = open_log();
    put(first, "first: started\n", 15);
    set_nonblocking(first);
    put(second, "second: started\n", 16);
    put(first, "first: stopped\n", 15);
    close(first);
    close(second);
    return 0;
}
