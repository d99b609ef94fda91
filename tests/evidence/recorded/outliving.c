/* A server and its helper on a pair of UDP sockets: the server ends well, and the helper by the ECONNREFUSED that follows.
   cc -o outliving outliving.c && strace -f -tt -e trace=network -o outliving.strace ./outliving */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static int bound(struct sockaddr_in *at)
{
    socklen_t size = sizeof *at;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bind(fd, (struct sockaddr *)at, size);
    getsockname(fd, (struct sockaddr *)at, &size);
    return fd;
}

int main(void)
{
    struct sockaddr_in server, helper;
    int mine = bound(&server), its = bound(&helper);
    char text[8];
    connect(mine, (struct sockaddr *)&helper, sizeof helper);
    connect(its, (struct sockaddr *)&server, sizeof server);
    if (fork() == 0) {
        close(mine);
        while (recv(its, text, sizeof text, 0) > 0) {
            usleep(200000);
            send(its, "answer", 6, 0);
        }
        _exit(1);
    }
    close(its);
    send(mine, "ask", 3, 0);
    recv(mine, text, sizeof text, 0);
    send(mine, "ask", 3, 0);
    return 0;
}
