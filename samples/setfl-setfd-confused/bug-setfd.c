/* O_NONBLOCK goes to F_SETFD, which takes it for nothing: the descriptor blocks, and is close-on-exec no more. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

static void set_nonblocking(int fd)
{
    fcntl(fd, F_SETFD, O_NONBLOCK);
}

int main(void)
{
    int ends[2];
    char text[16];
    pipe2(ends, O_CLOEXEC);
    set_nonblocking(ends[0]);
    if (fork() == 0) {
        usleep(200000);
        _exit(0);
    }
    close(ends[1]);
    (void)!read(ends[0], text, sizeof text); /* was to give EAGAIN */
    return 0;
}
