/* Two processes append records to a file under one file lock, and sync the file while they hold it. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PAUSE
#define PAUSE 50000
#define ROUNDS 12
#endif

static void lock(int fd)
{
#ifdef FCNTL
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fcntl(fd, F_SETLKW, &all);
#else
    flock(fd, LOCK_EX);
#endif
}

static void unlock(int fd)
{
#ifdef FCNTL
    struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    fcntl(fd, F_SETLK, &all);
#else
    flock(fd, LOCK_UN);
#endif
}

static void append(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (int round = 0; round < ROUNDS; round++) {
        lock(fd);
        if (write(fd, "record\n", 7) == 7)
            usleep(PAUSE); /* the time of a slow fsync */
        unlock(fd);
    }
    close(fd);
}

int main(void)
{
    pid_t child = fork();
#ifdef FIXED
    append(child == 0 ? "journal-2" : "journal-1");
#else
    append("journal");
#endif
    if (child > 0)
        waitpid(child, NULL, 0);
    return 0;
}
