/* A proxy between two connections: when one of them ends it closes both, although the batch holds an event of the other. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct side {
    int fd;
    struct side *other;
};

static int open_sides;

/* Makes one side of the proxy; returns the end that its peer has. */
static int connect_side(int epoll, struct side *side, struct side *other)
{
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    side->fd = pair[0];
    side->other = other;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = side};
    epoll_ctl(epoll, EPOLL_CTL_ADD, side->fd, &event);
    open_sides++;
    return pair[1];
}

static void drop(struct side *side)
{
    close(side->fd);
    open_sides--;
}

static void forward(struct side *side)
{
    char data[512];
    ssize_t size = recv(side->fd, data, sizeof data, MSG_DONTWAIT);
    if (size > 0) {
        send(side->other->fd, data, size, MSG_NOSIGNAL);
        return;
    }
    if (size < 0) {
        perror("recv");
        return;
    }
    drop(side->other);
    drop(side);
}

int main(void)
{
    struct side client, server;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int peer = connect_side(epoll, &client, &server);
    int backend = connect_side(epoll, &server, &client);
    /* In one and the same moment the client leaves and the backend sends. */
    close(peer);
    send(backend, "news\n", 5, MSG_NOSIGNAL);
    while (open_sides > 0) {
        struct epoll_event ready[8];
        int count = epoll_wait(epoll, ready, 8, 100);
        for (int index = 0; index < count; index++)
            forward(ready[index].data.ptr);
    }
    return 0;
}
