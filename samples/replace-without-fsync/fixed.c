/* The new state is synced before it takes the old one's place, and the directory after that. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int save_state(int directory, int count)
{
    char text[64];
    int length = snprintf(text, sizeof text, "count = %d\n", count);
    int fd = open("state.conf.tmp", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        return -1;
    if (write(fd, text, length) != length || fsync(fd) != 0) {
        close(fd);
        return -1;
    }
    if (close(fd) != 0 || rename("state.conf.tmp", "state.conf") != 0)
        return -1;
    return fsync(directory);
}

int main(void)
{
    int directory = open(".", O_RDONLY | O_DIRECTORY);
    if (directory < 0)
        return 1;
    for (int count = 1; count <= 3; count++)
        if (save_state(directory, count) != 0)
            return 1;
    close(directory);
    return 0;
}
