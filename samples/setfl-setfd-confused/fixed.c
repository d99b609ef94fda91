/* The same wake-up pipe: FD_CLOEXEC is set with F_SETFD, O_NONBLOCK stays, and draining ends with EAGAIN. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

static void set_close_on_exec(int fd)
{
    fcntl(fd, F_SETFD, fcntl(fd, F_GETFD) | FD_CLOEXEC);
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
    drain(wakeup[0]);
    return 0;
}
