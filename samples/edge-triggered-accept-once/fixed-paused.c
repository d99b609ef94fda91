/* A level-triggered server that adds each connection with EPOLLET alone, which watches for nothing but errors, and asks for EPOLLIN
   when it wants to read, as dbus-daemon does. The end of a connection comes as EPOLLIN|EPOLLHUP. */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "server.sock"};

static void client(void)
{
    char text[8];
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 || send(fd, "ask\n", 4, MSG_NOSIGNAL) != 4 ||
        read(fd, text, sizeof text) != 3)
        _exit(1);
    close(fd);
}

int main(void)
{
    char text[8];
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), epoll = epoll_create1(EPOLL_CLOEXEC), left = 2;
    unlink(address.sun_path);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 16);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    if (fork() == 0) {
        close(listener);
        client();
        client();
        _exit(0);
    }
    usleep(20000);
    while (left > 0 && epoll_wait(epoll, &event, 1, -1) == 1) {
        int fd = event.data.fd;
        if (fd == listener) {
            fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            event = (struct epoll_event){.events = EPOLLET, .data.fd = fd};
            epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
            event.events = EPOLLIN;
            epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
        } else if (read(fd, text, sizeof text) > 0) {
            send(fd, "ok\n", 3, MSG_NOSIGNAL);
        } else {
            epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
            close(fd);
            left--;
        }
    }
    wait(NULL);
    return 0;
}
