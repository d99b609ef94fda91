/* The parenthesis stands in the wrong place: the descriptor becomes 0, the result of the comparison. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd;
    if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0)) {
        perror("socket");
        return 1;
    }
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        perror("bind");
        return 1;
    }
    return 0;
}
