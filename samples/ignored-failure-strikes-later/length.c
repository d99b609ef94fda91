/* The file cannot be made as long as it is mapped, and nobody looks at the result. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

int main(void)
{
    struct rlimit limit = {4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
    int fd = open("table", O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (ftruncate(fd, 65536) != 0) {
        /* cannot be: there was always room */
    }
    char *table = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (table == MAP_FAILED)
        return 1;
    table[8192] = 1;
    return 0;
}
