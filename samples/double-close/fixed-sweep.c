/* A daemon closes every number that might be open, as daemons do: EBADF is expected. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
    close(open("/dev/null", O_RDONLY | O_CLOEXEC));
    for (int fd = 3; fd < 24; fd++)
        close(fd);
    return 0;
}
