/* A client with patience for 0.2 s, and a daemon that never comes to accept it: the kernel completes the connection without it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in address = {.sin_family = AF_INET};

static int start_listening(int backlog)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&address, length);
    listen(listener, backlog);
    getsockname(listener, (struct sockaddr *)&address, &length);
    return listener;
}

int main(void)
{
    char answer[64];
    int listener = start_listening(16);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    send(fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL);
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    if (poll(&readable, 1, 200) == 0) {
        fputs("no answer\n", stderr);
        return 1;
    }
    recv(fd, answer, sizeof answer, 0);
    close(fd);
    close(listener);
    return 0;
}
