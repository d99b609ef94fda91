/* A server whose batch holds an event of a connection that was closed meanwhile; a new connection has got its number. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
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

static int connect_to_it(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    return fd;
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int main(void)
{
    int listener = start_listening(), epoll = epoll_create1(EPOLL_CLOEXEC);
    int admin_peer = connect_to_it(), guest_peer = connect_to_it();
    int admin = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int guest = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    watch(epoll, admin);
    watch(epoll, listener);
    watch(epoll, guest);
    send(admin_peer, "kick the guest\n", 15, MSG_NOSIGNAL);
    int newcomer = connect_to_it();
    send(guest_peer, "hello\n", 6, MSG_NOSIGNAL);

    struct epoll_event ready[8];
    char line[64];
    int count = epoll_wait(epoll, ready, 8, 100);
    for (int index = 0; index < count; index++) {
        int fd = ready[index].data.fd;
        if (fd == listener) {
            watch(epoll, accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
        } else if (fd == admin) {
            recv(admin, line, sizeof line, 0);
            close(guest);
        } else if (recv(fd, line, sizeof line, 0) < 0) {
            close(fd); /* takes it for a broken connection */
        }
    }
    return newcomer < 0;
}
