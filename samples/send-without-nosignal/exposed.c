/* A client that sends without MSG_NOSIGNAL: nothing happens here, since its server stays. */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    int ends[2];
    char request[64];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
    (void)!write(ends[0], "hello\n", 6);
    (void)!read(ends[1], request, sizeof request);
    return 0;
}
