/* A job dies and leaves its lock file; the next one waits for the file to disappear. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int take(const char *path)
{
    char pid[16];
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0)
        return 0;
    snprintf(pid, sizeof pid, "%d", getpid());
    if (write(file, pid, strlen(pid)) < 0)
        _exit(1);
    close(file);
    return 1;
}

static int runs(const char *path)
{
    char pid[16] = "";
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    if (read(file, pid, sizeof pid - 1) < 0)
        _exit(1);
    close(file);
    return kill(atoi(pid), 0) == 0;
}

int main(void)
{
    const char *path = "report.lock";
    unlink(path);
    if (fork() == 0) {
        take(path);
        kill(getpid(), SIGKILL);
    }
    wait(0);
    for (int attempt = 0; attempt < 4; attempt++) {
        if (take(path))
            return unlink(path);
#ifdef FIXED
        if (!runs(path)) {
            unlink(path);
            continue;
        }
#else
        runs(path);
#endif
        usleep(300000);
    }
    return 75;
}
