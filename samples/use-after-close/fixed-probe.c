/* Numbers that are closed are asked about, not used: EBADF is the answer. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
    close(open("/dev/null", O_RDONLY | O_CLOEXEC));
    int is_open = fcntl(3, F_GETFD) >= 0;
    for (int fd = 3; fd < 8; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return is_open;
}
