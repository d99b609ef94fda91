/* Sorts through a file that nobody else shall see: its name is removed as soon as it is open. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    char block[512];
    memset(block, 's', sizeof block);
    int fd = open("runs", O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || unlink("runs") != 0)
        return 1;
    for (int run = 0; run < 4; run++)
        if (write(fd, block, sizeof block) != (ssize_t)sizeof block)
            return 1;
    return 0;
}
