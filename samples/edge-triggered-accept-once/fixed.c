/* An edge-triggered server that accepts until the backlog is empty: the last client is served, too. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in address = {.sin_family = AF_INET};

static int ask(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    send(fd, "GET /\r\n\r\n", 9, MSG_NOSIGNAL);
    return fd;
}

static void impatient_clients(void)
{
    for (int i = 0; i < 3; i++)
        close(ask());
}

static void patient_client(void)
{
    char answer[64];
    usleep(20000);
    struct pollfd wait = {.fd = ask(), .events = POLLIN};
    if (poll(&wait, 1, 100) == 1)
        recv(wait.fd, answer, sizeof answer, 0);
}

static pid_t run(void (*client)(void), int listener)
{
    pid_t child = fork();
    if (child == 0) {
        close(listener);
        client();
        _exit(0);
    }
    return child;
}

static void watch(int epoll, int operation, int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = fd};
    epoll_ctl(epoll, operation, fd, &event);
}

static void serve(int epoll, int fd)
{
    char request[512];
    if (recv(fd, request, sizeof request, 0) > 0 && send(fd, "HTTP/1.0 200 OK\r\n\r\n", 19, MSG_NOSIGNAL) > 0)
        send(fd, "hello\n", 6, MSG_NOSIGNAL);
    watch(epoll, EPOLL_CTL_DEL, fd);
    close(fd);
}

int main(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&address, length);
    listen(listener, 128);
    getsockname(listener, (struct sockaddr *)&address, &length);
    waitpid(run(impatient_clients, listener), NULL, 0);

    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, EPOLL_CTL_ADD, listener);
    pid_t client = run(patient_client, listener);
    struct epoll_event ready;
    while (epoll_wait(epoll, &ready, 1, 200) == 1) {
        if (ready.data.fd == listener) {
            int fd;
            while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
                watch(epoll, EPOLL_CTL_ADD, fd);
        } else {
            serve(epoll, ready.data.fd);
        }
    }
    waitpid(client, NULL, 0);
    return 0;
}
