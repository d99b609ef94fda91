/* A client that tries again and again makes a new socket each time, and forgets the one before. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int dial(const struct sockaddr_in *server)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)server, sizeof *server) != 0)
        return -1;
    return fd;
}

int main(void)
{
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = -1;
    for (int attempt = 0; attempt < 10 && fd < 0; attempt++) {
        fd = dial(&server);
        usleep(1000);
    }
    return 0;
}
