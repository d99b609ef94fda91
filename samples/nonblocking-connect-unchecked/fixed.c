/* A client with a non-blocking socket, and a server that is busy just now. The client waits until it is connected, and asks
 * whether it worked. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
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

/* The server's queue is full for 0.1 s: a connection that nobody has accepted yet stands in it. */
static void start_busy_server(void)
{
    int listener = start_listening(0);
    int waiting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(waiting, (struct sockaddr *)&address, sizeof address);
    if (fork() == 0) {
        char report[16];
        usleep(100000);
        close(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
        close(waiting);
        struct pollfd visitor = {.fd = listener, .events = POLLIN};
        if (poll(&visitor, 1, 1500) == 1) {
            int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            recv(fd, report, sizeof report, 0);
            close(fd);
        }
        _exit(0);
    }
    close(waiting);
    close(listener);
}

int main(void)
{
    start_busy_server();
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)
        return 1;
    int error = 0;
    socklen_t length = sizeof error;
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    if (poll(&writable, 1, 2000) != 1 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) {
        fprintf(stderr, "connect: error %d\n", error);
        return 1;
    }
    if (send(fd, "report\n", 7, MSG_NOSIGNAL) != 7) {
        perror("send");
        return 1;
    }
    close(fd);
    wait(NULL);
    return 0;
}
