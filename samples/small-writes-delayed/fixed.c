/* A client that sends each request in one write of two parts. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEADER "PUT key\n"
#define BODY "value 1\n"

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

/* Answers each whole request. */
static void start_server(int listener)
{
    if (fork() == 0) {
        char request[64];
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        close(listener);
        while (recv(fd, request, sizeof HEADER + sizeof BODY - 2, MSG_WAITALL) > 0)
            send(fd, "ok\n", 3, MSG_NOSIGNAL);
        close(fd);
        _exit(0);
    }
}

int main(void)
{
    char answer[16];
    int listener = start_listening(128);
    start_server(listener);
    close(listener);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    for (int i = 0; i < 14; i++) {
        struct iovec parts[2] = {{HEADER, sizeof HEADER - 1}, {BODY, sizeof BODY - 1}};
        struct msghdr request = {.msg_iov = parts, .msg_iovlen = 2};
        sendmsg(fd, &request, MSG_NOSIGNAL);
        recv(fd, answer, sizeof answer, 0);
    }
    close(fd);
    wait(NULL);
    return 0;
}
