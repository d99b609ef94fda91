/* Before each entry the service compares what it has open with what the path stands for, and opens it anew. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG "service.log"

static void clean_up(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(unlink(LOG) == 0 ? 0 : 1);
    waitpid(child, NULL, 0);
}

static int open_log(int fd)
{
    struct stat open_file, named_file;
    if (fd >= 0 && fstat(fd, &open_file) == 0 && stat(LOG, &named_file) == 0 && open_file.st_ino == named_file.st_ino)
        return fd;
    if (fd >= 0)
        close(fd);
    return open(LOG, O_WRONLY | O_CREAT | O_APPEND, 0644);
}

int main(void)
{
    int fd = -1;
    for (int request = 1; request <= 12; request++) {
        char text[80];
        int length = snprintf(text, sizeof text, "request %d: 200 OK, %d bytes in 3 ms\n", request, 1000 + request);
        fd = open_log(fd);
        if (fd < 0 || write(fd, text, length) != length)
            return 1;
        if (request == 3)
            clean_up();
    }
    close(fd);
    return 0;
}
