/* A client that says no more than "no connection": which call failed, and why, only the trace can tell. */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (isatty(STDOUT_FILENO))
        puts("connecting ...");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        fputs("client: no connection\n", stderr);
        return 1;
    }
    return 0;
}
