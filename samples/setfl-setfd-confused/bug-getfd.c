/* O_NONBLOCK is added to what F_GETFD gave: it works, since F_SETFL ignores the access mode. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static void set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int main(void)
{
    int ends[2];
    char text[16];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
    set_nonblocking(ends[0]);
    return read(ends[0], text, sizeof text) >= 0;
}
