/* A server that pauses a client by asking for no events. EPOLLHUP and EPOLLERR are reported all the same: when the paused
 * client is gone the loop spins. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sys/epoll.h>
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

/* A client that sends a line and then breaks the connection off. */
static void client(int listener)
{
    struct linger at_once = {.l_onoff = 1};
    if (fork() != 0)
        return;
    close(listener);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    send(fd, "hello\n", 6, MSG_NOSIGNAL);
    usleep(10000);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    _exit(0);
}

int main(void)
{
    char line[64];
    int listener = start_listening();
    client(listener);
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    /* A real server turns for ever; this one gives up. */
    for (int turn = 0; turn < 30; turn++) {
        struct epoll_event ready;
        if (epoll_wait(epoll, &ready, 1, 100) != 1)
            break;
        if (ready.events & EPOLLIN && recv(fd, line, sizeof line, 0) > 0) {
            /* Enough for now: what came must be worked on first. */
            event.events = 0;
            epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
        }
    }
    wait(NULL);
    return 0;
}
