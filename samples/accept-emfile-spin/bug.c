/* A server at its descriptor limit: accept fails, the loop goes on, and the listener is still ready. It gives up after 30
 * turns. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
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

/* Six visitors who say nothing and stay for a while. */
static void start_visitors(int listener)
{
    if (fork() == 0) {
        close(listener);
        for (int i = 0; i < 6; i++) {
            int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            connect(fd, (struct sockaddr *)&address, sizeof address);
        }
        usleep(100000);
        _exit(0);
    }
}

int main(void)
{
    int listener = start_listening(128);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    struct rlimit few = {9, 9};
    start_visitors(listener);
    fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    setrlimit(RLIMIT_NOFILE, &few);
    for (int turn = 0; turn < 30 && epoll_wait(epoll, &event, 1, 50) > 0; turn++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            continue;
    }
    while (wait(NULL) > 0)
        continue;
    return 0;
}
