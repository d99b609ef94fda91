/* A server whose main thread accepts, and whose two other threads answer and close; strace is attached when all three run.
   cc -pthread -o attached attached.c
   ./attached & sleep 0.5; strace -f -tt -yy -e trace=desc,network -o noted.strace -p $!
   ./attached & sleep 0.5; strace -f -tt -e trace=desc,network -o plain.strace -p $!
   ./attached & sleep 0.5; strace -f -tt -e trace=desc,network -p $! 2> told.strace */
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 10 };
static int sets[2];

static void *answering(void *set)
{
    struct epoll_event event;
    char data[100];
    for (;;) {
        if (epoll_wait(*(int *)set, &event, 1, -1) < 1)
            continue;
        ssize_t got = read(event.data.fd, data, sizeof data);
        if (got > 0)
            write(event.data.fd, data, got);
        else
            close(event.data.fd);
    }
}

int main(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    pthread_t thread;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&at, size);
    listen(listener, 64);
    getsockname(listener, (struct sockaddr *)&at, &size);
    if (fork() == 0) {
        sleep(1);
        for (int client = 0; client < CLIENTS; client++) {
            char data[10];
            int fd = socket(AF_INET, SOCK_STREAM, 0);
            connect(fd, (struct sockaddr *)&at, size);
            write(fd, "hi", 2);
            read(fd, data, sizeof data);
            if (client % 3)
                close(fd);
        }
        _exit(0);
    }
    for (int set = 0; set < 2; set++) {
        sets[set] = epoll_create1(0);
        pthread_create(&thread, 0, answering, sets + set);
    }
    for (int client = 0; client < CLIENTS; client++) {
        int fd = accept(listener, 0, 0);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(sets[client % 2], EPOLL_CTL_ADD, fd, &event);
    }
    usleep(300000);
    return 0;
}
