/* A lock file of a former run is removed without a look at the result: it is a directory, and stays in the way. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    mkdir("lock", 0755); /* left behind by another version of the program */
    unlink("lock");
    int fd = open("lock", O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (fd < 0) {
        fputs("service: is already running\n", stderr);
        return 1;
    }
    close(fd);
    return 0;
}
