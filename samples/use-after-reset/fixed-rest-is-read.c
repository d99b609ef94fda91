/* A client whose request fails, and that reads what the server had sent before: it is still there. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in address = {.sin_family = AF_INET};

static int start_listening(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&address, length);
    listen(listener, 128);
    getsockname(listener, (struct sockaddr *)&address, &length);
    return listener;
}

/* A server that refuses, and leaves. */
static void start_server(void)
{
    int listener = start_listening();
    if (fork() == 0) {
        send(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "too busy\n", 9, MSG_NOSIGNAL);
        _exit(0);
    }
    close(listener);
}

int main(void)
{
    char answer[64];
    start_server();
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    wait(NULL);
    send(fd, "first half, ", 12, MSG_NOSIGNAL);
    if (send(fd, "second half\n", 12, MSG_NOSIGNAL) < 0)
        recv(fd, answer, sizeof answer, 0);
    close(fd);
    return 0;
}
