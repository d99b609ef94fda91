/* Waits for a child to open the other end of a fifo by trying again at once: a whole processor for nothing. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    mkfifo("events", 0600);
    if (fork() == 0) {
        usleep(20000);
        close(open("events", O_RDONLY | O_CLOEXEC));
        _exit(0);
    }
    int fd;
    while ((fd = open("events", O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0)
        continue;
    close(fd);
    wait(NULL);
    return 0;
}
