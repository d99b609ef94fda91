/* Gives up root's user and group, but keeps root's other groups. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
    if (setgid(65534) < 0 || setuid(65534) < 0)
        return 1;
    close(open("/etc/shells", O_RDONLY | O_CLOEXEC));
    return 0;
}
