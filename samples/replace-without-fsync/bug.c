/* Keeps a counter in a state file: each new state is written beside it and renamed over it, but never synced. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int save_state(int count)
{
    char text[64];
    int length = snprintf(text, sizeof text, "count = %d\n", count);
    int fd = open("state.conf.tmp", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        return -1;
    if (write(fd, text, length) != length) {
        close(fd);
        return -1;
    }
    if (close(fd) != 0)
        return -1;
    return rename("state.conf.tmp", "state.conf");
}

int main(void)
{
    for (int count = 1; count <= 3; count++)
        if (save_state(count) != 0)
            return 1;
    return 0;
}
