/* Hands a picture to a viewer through a non-blocking pipe, in one write: the pipe has room for 64 KB of it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char picture[200000];

static int view(int fd) {
    static char data[65536];
    size_t total = 0;
    ssize_t size;
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    while ((size = read(fd, data, sizeof data)) > 0)
        total += (size_t)size;
    printf("%zu bytes of %zu\n", total, sizeof picture);
    fflush(stdout);
    return size < 0;
}

int main(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return 1;
    pid_t viewer = fork();
    if (viewer == 0) {
        close(ends[1]);
        _exit(view(ends[0]));
    }
    close(ends[0]);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    if (write(ends[1], picture, sizeof picture) < 0)
        return 1;
    close(ends[1]);
    waitpid(viewer, NULL, 0);
    return 0;
}
