/* What lies beyond the new end is unmapped before the file is cut. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    int fd = open("cache", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, 32768) != 0)
        return 1;
    volatile char *cache = mmap(NULL, 32768, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (cache == MAP_FAILED)
        return 1;
    cache[0] = 1;
    if (munmap((void *)(cache + 16384), 16384) != 0 || ftruncate(fd, 16384) != 0)
        return 1;
    cache[8192] = 1;
    return 0;
}
