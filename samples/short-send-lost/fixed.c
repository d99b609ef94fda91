/* A server that sends a picture to a slow reader: what the kernel has not taken is sent when there is room. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char picture[4000000];

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

static void start_reader(int listener)
{
    static char part[1000000];
    if (fork() == 0) {
        close(listener);
        size_t got = 0;
        ssize_t size;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connect(fd, (struct sockaddr *)&address, sizeof address);
        usleep(50000);
        while ((size = recv(fd, part, sizeof part, MSG_WAITALL)) > 0)
            got += (size_t)size;
        close(fd);
        printf("%zu bytes of %zu\n", got, sizeof picture);
        fflush(stdout);
        _exit(0);
    }
}

static void send_picture(int fd)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    for (size_t sent = 0; sent < sizeof picture;) {
        ssize_t size = send(fd, picture + sent, sizeof picture - sent, MSG_NOSIGNAL);
        if (size > 0)
            sent += (size_t)size;
        else if (poll(&room, 1, 1000) != 1)
            break;
    }
}

int main(void)
{
    int listener = start_listening(128);
    start_reader(listener);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    send_picture(fd);
    close(fd);
    wait(NULL);
    return 0;
}
