/* Gives up root in the wrong order: once it is no longer root it may not change its group, and does not look. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
    int log = open("/etc/shells", O_RDONLY | O_CLOEXEC);
    if (setuid(65534) < 0)
        return 1;
    (void)!setgid(65534);
    close(log);
    return 0;
}
