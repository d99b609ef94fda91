/* A server that answers in two writes; its client has left. The first succeeds, the second does not: why? */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
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

/* A client that asks and leaves without waiting for the answer. */
static void client(int listener)
{
    if (fork() == 0) {
        close(listener);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connect(fd, (struct sockaddr *)&address, sizeof address);
        send(fd, "GET /\r\n\r\n", 9, MSG_NOSIGNAL);
        _exit(0);
    }
    wait(NULL);
}

static void answer(int fd)
{
    char request[512];
    if (read(fd, request, sizeof request) <= 0)
        return;
    if (send(fd, "HTTP/1.0 200 OK\r\n\r\n", 19, MSG_NOSIGNAL) < 0 || send(fd, "hello\n", 6, MSG_NOSIGNAL) < 0)
        perror("client lost");
}

int main(void)
{
    int listener = start_listening();
    client(listener);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    answer(fd);
    close(fd);
    return 0;
}
