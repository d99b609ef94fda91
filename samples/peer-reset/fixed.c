/* A client of a server that reads the whole request before it answers and closes. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

/* Reads the request to its end. */
static void start_server(int listener)
{
    if (fork() == 0) {
        char request[64];
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        close(listener);
        recv(fd, request, sizeof request, 0);
        send(fd, "HTTP/1.0 200 OK\r\n\r\nhello\n", 25, MSG_NOSIGNAL);
        close(fd);
        _exit(0);
    }
}

int main(void)
{
    char answer[64];
    ssize_t size;
    int listener = start_listening(16);
    start_server(listener);
    close(listener);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    send(fd, "GET / HTTP/1.0\r\nAccept: */*\r\n\r\n", 31, MSG_NOSIGNAL);
    while ((size = recv(fd, answer, sizeof answer, 0)) > 0)
        fwrite(answer, 1, (size_t)size, stdout);
    if (size < 0) {
        perror("recv");
        return 1;
    }
    close(fd);
    wait(NULL);
    return 0;
}
