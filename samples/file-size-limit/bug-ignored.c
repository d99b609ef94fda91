/* SIGXFSZ is ignored, as Python does at its start: the write fails instead, and the program gives up. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

int main(void)
{
    struct rlimit limit = {16384, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    int fd = open("pool.dat", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (ftruncate(fd, 1 << 20) != 0) {
        perror("pool.dat");
        return 1;
    }
    return close(fd) != 0;
}
