/* Passes on what a helper has written: waits for it, and looks at the size before it is used. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return 1;
    pid_t helper = fork();
    if (helper == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        _exit(write(ends[1], "ready\n", 6) != 6);
    }
    close(ends[1]);
    int out = open("answer.txt", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    char answer[64];
    ssize_t size = -1;
    if (poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, 1000) == 1)
        size = read(ends[0], answer, sizeof answer);
    int failed = size < 0 || write(out, answer, (size_t)size) < 0;
    close(out);
    waitpid(helper, NULL, 0);
    return failed;
}
