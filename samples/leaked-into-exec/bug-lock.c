/* A job that must run only once at a time leaves a program behind, which keeps the lock: the next job finds it taken. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static int job(void)
{
    int lock = open("job.lock", O_RDWR | O_CREAT, 0644);
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        perror("job.lock");
        return 1;
    }
    if (fork() == 0) {
        execl("/bin/sleep", "sleep", "0.3", (char *)NULL);
        _exit(127);
    }
    usleep(100000);
    return 0;
}

int main(void)
{
    int status;
    for (int run = 0; run < 2; run++) {
        if (fork() == 0)
            _exit(job());
        wait(&status);
    }
    usleep(300000);
    return WEXITSTATUS(status);
}
