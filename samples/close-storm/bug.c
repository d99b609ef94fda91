/* Closes every number up to the limit before it starts a program, as daemons used to. The limit is 2000 here; in a
 * container it may be a thousand million. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <unistd.h>

int main(void)
{
    struct rlimit limit = {2000, 2000};
    setrlimit(RLIMIT_NOFILE, &limit);
    long end = sysconf(_SC_OPEN_MAX);
    for (int fd = 3; fd < end; fd++)
        close(fd);
    return 0;
}
