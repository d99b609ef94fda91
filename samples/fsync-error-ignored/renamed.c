/* The result of fsync is not looked at: the new file takes the old one's place though its data is lost. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DISK "/srv/tracediag/thin-disk/"

int main(void)
{
    char page[4096];
    memset(page, 'a', sizeof page);
    int fd = open(DISK "state.tmp", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, page, sizeof page) != (ssize_t)sizeof page)
        return 1;
    fsync(fd);
    if (close(fd) != 0 || rename(DISK "state.tmp", DISK "state") != 0)
        return 1;
    return 0;
}
