/* Four workers that wait for one listener, each in an epoll set of its own: every connection wakes all of them. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 4
#define CLIENTS 12

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

static void work(int listener)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready;
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    while (epoll_wait(epoll, &ready, 1, -1) == 1) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        send(fd, "welcome\n", 8, MSG_NOSIGNAL);
        close(fd);
    }
    _exit(1);
}

/* Clients one after the other, with a pause in which all workers go back to sleep. */
static void clients(void)
{
    for (int client = 0; client < CLIENTS; client++) {
        char greeting[64];
        usleep(20000);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connect(fd, (struct sockaddr *)&address, sizeof address);
        recv(fd, greeting, sizeof greeting, 0);
        close(fd);
    }
}

int main(void)
{
    pid_t workers[WORKERS];
    int listener = start_listening();
    for (int number = 0; number < WORKERS; number++)
        if ((workers[number] = fork()) == 0)
            work(listener);
    clients();
    for (int number = 0; number < WORKERS; number++)
        kill(workers[number], SIGTERM);
    while (wait(NULL) > 0)
        ;
    return 0;
}
