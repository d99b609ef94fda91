/* A client that connects without blocking, waits for room to write, and goes on asking for that while it waits for the
 * answer. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in address = {.sin_family = AF_INET};

/* Starts a server that takes its time for one answer. */
static void start_server(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof address;
    char line[64];
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&address, length);
    listen(listener, 128);
    getsockname(listener, (struct sockaddr *)&address, &length);
    if (fork() == 0) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        recv(fd, line, sizeof line, 0);
        usleep(3000);
        send(fd, "welcome\n", 8, MSG_NOSIGNAL);
        recv(fd, line, sizeof line, 0);
        _exit(0);
    }
    close(listener);
}

int main(void)
{
    start_server();
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0, asked = 0;
    socklen_t length = sizeof error;
    char answer[64];
    connect(fd, (struct sockaddr *)&address, sizeof address);
    struct pollfd entry = {.fd = fd, .events = POLLIN | POLLOUT};
    while (poll(&entry, 1, 1000) == 1) {
        if (entry.revents & POLLIN)
            break;
        if (!asked && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0)
            asked = send(fd, "hello\n", 6, MSG_NOSIGNAL) == 6;
    }
    recv(fd, answer, sizeof answer, 0);
    close(fd);
    wait(NULL);
    return 0;
}
