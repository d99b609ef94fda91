/* Closes every number from 3 up in one call before it starts a program. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <unistd.h>

int main(void)
{
    struct rlimit limit = {2000, 2000};
    setrlimit(RLIMIT_NOFILE, &limit);
    close_range(3, ~0U, 0);
    return 0;
}
