/* O_NONBLOCK is taken away on purpose: by F_SETFL 0 where nothing else is on, and by what F_GETFL gave. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    int ends[2];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
    fcntl(ends[0], F_SETFL, 0);

    int saved = fcntl(ends[1], F_GETFL);
    fcntl(ends[1], F_SETFL, saved & ~O_NONBLOCK);
    fcntl(ends[1], F_SETFL, saved | O_ASYNC);
    fcntl(ends[1], F_SETFL, saved & ~O_NONBLOCK);
    return 0;
}
