/* Gives up root in the right order: the other groups, the group, the user; and looks at each result. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <unistd.h>

int main(void)
{
    int log = open("/etc/shells", O_RDONLY | O_CLOEXEC);
    if (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
        return 1;
    close(log);
    return 0;
}
