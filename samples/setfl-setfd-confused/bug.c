/* The reading end of a wake-up pipe is to be close-on-exec. F_SETFL takes O_NONBLOCK away instead, and draining blocks. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

static void set_close_on_exec(int fd)
{
    fcntl(fd, F_SETFL, FD_CLOEXEC);
}

static void drain(int fd)
{
    char bytes[16];
    while (read(fd, bytes, sizeof bytes) > 0)
        continue;
}

int main(void)
{
    int wakeup[2];
    pipe2(wakeup, O_NONBLOCK);
    set_close_on_exec(wakeup[0]);
    set_close_on_exec(wakeup[1]);
    if (fork() == 0) {
        (void)!write(wakeup[1], "!", 1);
        usleep(200000);
        _exit(0);
    }
    close(wakeup[1]);
    drain(wakeup[0]); /* returns when the child is gone */
    return 0;
}
