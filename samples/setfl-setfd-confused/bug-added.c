/* The flags are fetched with F_GETFL, and FD_CLOEXEC is added to them: it is lost in the access mode. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    int ends[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    fcntl(ends[0], F_SETFL, fcntl(ends[0], F_GETFL) | O_NONBLOCK | FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, fcntl(ends[1], F_GETFL) | FD_CLOEXEC);
    return 0;
}
