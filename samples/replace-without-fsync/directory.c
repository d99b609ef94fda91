/* A table is written to a temporary file and renamed over the old one; only the directory is synced. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    const char *text = "alice 1001\nbob 1002\n";
    char name[] = "etc/XXXXXX";
    mkdir("etc", 0755);
    int fd = mkstemp(name);
    if (fd < 0)
        return 1;
    if (write(fd, text, strlen(text)) < 0 || fchmod(fd, 0644) != 0 || close(fd) != 0)
        return 1;
    if (rename(name, "etc/users") != 0)
        return 1;
    int directory = open("etc", O_RDONLY | O_DIRECTORY);
    if (directory < 0 || fsync(directory) != 0)
        return 1;
    close(directory);
    return 0;
}
