/* Reads a non-blocking pipe over and over until the worker's answer is there: a whole CPU is burnt meanwhile. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void work(int out)
{
    struct timespec while_working = { 0, 20 * 1000 * 1000 };
    nanosleep(&while_working, NULL);
    _exit(write(out, "done\n", 5) != 5);
}

static ssize_t wait_for_answer(int fd, char *answer, size_t size)
{
    ssize_t got;
    do
        got = read(fd, answer, size);
    while (got < 0 && errno == EAGAIN);
    return got;
}

int main(void)
{
    int ends[2];
    char answer[16];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return 1;
    if (fork() == 0)
        work(ends[1]);
    close(ends[1]);
    ssize_t got = wait_for_answer(ends[0], answer, sizeof answer);
    close(ends[0]);
    wait(NULL);
    return got == 5 ? 0 : 1;
}
