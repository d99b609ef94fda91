/* A server with an empty handler for SIGPIPE: write returns EPIPE after it, and that is dealt with. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <signal.h>
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

static void on_pipe(int number)
{
    (void)number;
}

static void answer(int fd)
{
    char request[512];
    if (read(fd, request, sizeof request) <= 0)
        return;
    if (write(fd, "HTTP/1.0 200 OK\r\n\r\n", 19) < 0 || write(fd, "hello\n", 6) < 0)
        perror("client lost");
}

int main(void)
{
    signal(SIGPIPE, on_pipe);
    int listener = start_listening();
    for (int served = 0; served < 2; served++) {
        client(listener);
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        answer(fd);
        close(fd);
    }
    return 0;
}
