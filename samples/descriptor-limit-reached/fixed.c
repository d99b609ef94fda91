/* Reads the greeting of many users: the file is closed on every way out. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int greet(int user)
{
    char path[32], text[64];
    snprintf(path, sizeof path, "users/%d", user);
    int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        perror(path);
        return -1;
    }
    ssize_t length = read(fd, text, sizeof text);
    close(fd);
    return length < 0 ? -1 : 0;
}

int main(void)
{
    struct rlimit few = {12, 12}; /* a small LimitNOFILE= of the service */
    setrlimit(RLIMIT_NOFILE, &few);
    mkdir("users", 0755);
    for (int user = 1; user <= 12; user++)
        if (greet(user) < 0)
            return 1;
    return 0;
}
