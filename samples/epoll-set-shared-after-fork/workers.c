/* Two workers that inherit one epoll set with the listener in it, and put their connections there, too. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in address = {.sin_family = AF_INET};

static int start_listening(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&address, length);
    listen(listener, 128);
    getsockname(listener, (struct sockaddr *)&address, &length);
    return listener;
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void work(int epoll, int listener)
{
    struct epoll_event ready;
    char line[64];
    while (epoll_wait(epoll, &ready, 1, 300) == 1) {
        if (ready.data.fd == listener) {
            int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd >= 0)
                watch(epoll, fd);
            continue;
        }
        ssize_t size = recv(ready.data.fd, line, sizeof line, 0);
        if (size > 0)
            send(ready.data.fd, line, size, MSG_NOSIGNAL);
        else if (size == 0)
            close(ready.data.fd);
        else
            usleep(50000);
    }
    _exit(0);
}

int main(void)
{
    int listener = start_listening(), epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener);
    for (int number = 0; number < 2; number++)
        if (fork() == 0)
            work(epoll, listener);
    close(epoll);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    for (int line = 0; line < 3; line++) {
        char echo[64];
        usleep(50000);
        send(fd, "hello\n", 6, MSG_NOSIGNAL);
        recv(fd, echo, sizeof echo, MSG_DONTWAIT);
    }
    close(fd);
    while (wait(NULL) > 0)
        ;
    return 0;
}
