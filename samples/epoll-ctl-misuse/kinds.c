/* Each way in which epoll_ctl can be refused, once. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

static void control(int epoll, int operation, int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(epoll, operation, fd, &event);
}

static void turn(int epoll)
{
    struct epoll_event ready;
    epoll_wait(epoll, &ready, 1, 0);
}

int main(void)
{
    int ends[2], epoll = epoll_create1(EPOLL_CLOEXEC), other = epoll_create1(EPOLL_CLOEXEC);
    int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    if (file < 0 || pipe2(ends, O_CLOEXEC) != 0)
        return 1;

    /* A regular file is always ready: epoll does not take it. */
    control(epoll, EPOLL_CTL_ADD, file, EPOLLIN);

    /* Added twice, with the same wish: nothing is lost. */
    control(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN);
    control(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN);
    turn(epoll);

    /* Removed twice: nothing is lost. */
    control(epoll, EPOLL_CTL_DEL, ends[0], 0);
    control(epoll, EPOLL_CTL_DEL, ends[0], 0);
    turn(epoll);

    /* Changed after it was removed: it is not watched. */
    control(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN);
    turn(epoll);

    /* The close has taken the entry along; the new pipe has the number and is not in the set. */
    control(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN);
    close(ends[0]);
    close(ends[1]);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return 1;
    control(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN);
    turn(epoll);

    /* Removed after it was closed. */
    control(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN);
    close(ends[0]);
    control(epoll, EPOLL_CTL_DEL, ends[0], 0);
    turn(epoll);

    /* An accept or open that failed. */
    control(epoll, EPOLL_CTL_ADD, -1, EPOLLIN);
    turn(epoll);

    /* The set itself; a descriptor that is no set; EPOLLEXCLUSIVE in a change. */
    control(epoll, EPOLL_CTL_ADD, epoll, EPOLLIN);
    control(ends[1], EPOLL_CTL_ADD, epoll, EPOLLIN);
    control(epoll, EPOLL_CTL_ADD, ends[1], EPOLLOUT | EPOLLEXCLUSIVE);
    control(epoll, EPOLL_CTL_MOD, ends[1], EPOLLOUT | EPOLLEXCLUSIVE);

    /* A circle of sets. */
    control(epoll, EPOLL_CTL_ADD, other, EPOLLIN);
    control(other, EPOLL_CTL_ADD, epoll, EPOLLIN);
    return 0;
}
