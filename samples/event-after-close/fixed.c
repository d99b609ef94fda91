/* A proxy between two connections: when one of them ends it closes both, after the batch. */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct side {
    int fd;
    int dead;
    struct side *other;
};

static int open_sides;

/* Makes one side of the proxy; returns the end that its peer has. */
static int connect_side(int epoll, struct side *side, struct side *other)
{
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    *side = (struct side){.fd = pair[0], .other = other};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = side};
    epoll_ctl(epoll, EPOLL_CTL_ADD, side->fd, &event);
    open_sides++;
    return pair[1];
}

static void forward(struct side *side)
{
    char data[512];
    if (side->dead)
        return;
    ssize_t size = recv(side->fd, data, sizeof data, MSG_DONTWAIT);
    if (size > 0)
        send(side->other->fd, data, size, MSG_NOSIGNAL);
    else
        side->dead = side->other->dead = 1;
}

static void bury(struct side *side)
{
    close(side->fd);
    open_sides--;
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
        if (client.dead) {
            bury(&client);
            bury(&server);
        }
    }
    return 0;
}
