/* Keeps the error of the open while it cleans up: the message is right. */
#include <errno.h>
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
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return result;
}

int main(void)
{
    if (load("service.key") < 0) {
        perror("service: no key");
    }
    return 0; /* it goes on without a key */
}
