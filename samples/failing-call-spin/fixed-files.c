/* Reads files, and tries for each whether epoll can watch it, as Go does: EPERM says that it is a regular file. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

int main(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    char text[16];
    for (int i = 0; i < 80; i++) {
        int fd = open("fixed-files.c", O_RDONLY | O_CLOEXEC);
        struct epoll_event event = {.events = EPOLLIN | EPOLLET};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 || read(fd, text, sizeof text) <= 0)
            return 1;
        close(fd);
    }
    return 0;
}
