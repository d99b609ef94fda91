/* It asks for its limit first, and writes no more than that. */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int main(void)
{
    char block[4096];
    struct rlimit limit = {16384, 16384};
    getrlimit(RLIMIT_FSIZE, &limit);
    if (limit.rlim_cur < 8 * sizeof block)
        return 1;
    memset(block, 'x', sizeof block);
    int fd = open("export.dat", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    for (int i = 0; i < 8; i++)
        if (write(fd, block, sizeof block) != sizeof block)
            return 1;
    return close(fd) != 0;
}
