/* Waits for a child to open the other end of a fifo and tries again every 5 ms: a wait between the attempts. */
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
        usleep(5000);
    close(fd);
    wait(NULL);
    return 0;
}
