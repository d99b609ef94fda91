/* A server that takes one client at a time and lets the next one wait in the backlog, its listener still in the set. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLIENTS = 2 };

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

/* Clients that connect, think and send, all in one child. */
static void start_clients(int listener)
{
    int clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connect(clients[i], (struct sockaddr *)&address, sizeof address);
    }
    pid_t child = fork();
    if (child == 0) {
        close(listener);
        usleep(8000);
    }
    for (int i = 0; i < CLIENTS; i++) {
        if (child == 0)
            send(clients[i], "hello\n", 6, MSG_NOSIGNAL);
        close(clients[i]);
    }
    if (child == 0)
        _exit(0);
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int main(void)
{
    int listener = start_listening(), client = -1;
    start_clients(listener);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener);
    for (int served = 0; served < CLIENTS;) {
        struct epoll_event ready;
        char line[64];
        if (epoll_wait(epoll, &ready, 1, 1000) != 1)
            break;
        if (ready.data.fd == listener && client < 0) {
            client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            watch(epoll, client);
        } else if (ready.data.fd == client && recv(client, line, sizeof line, 0) > 0) {
            close(client);
            client = -1;
            served++;
        }
    }
    while (wait(NULL) > 0)
        continue;
    return 0;
}
