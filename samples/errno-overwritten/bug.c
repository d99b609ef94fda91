/* Cleans up before it reports: the message gives the error of the close, not that of the open. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int load(const char *path)
{
    char text[64];
    int result = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, text, sizeof text) >= 0)
        result = 0;
    close(fd);
    return result;
}

int main(void)
{
    if (load("service.key") < 0) {
        perror("service: no key");
        return 1;
    }
    return 0;
}
