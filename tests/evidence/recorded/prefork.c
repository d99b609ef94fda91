/* Two workers wait for connections on the listener of their parent; strace shows no accept.
   cc -o prefork prefork.c && strace -f -tt -yy -e trace=desc,file -o prefork.file.strace ./prefork */
#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&at, size);
    listen(listener, 64);
    getsockname(listener, (struct sockaddr *)&at, &size);
    for (int worker = 0; worker < 2; worker++)
        if (fork() == 0) {
            int set = epoll_create1(0);
            struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
            epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
            for (int turn = 0; turn < 30 && epoll_wait(set, &event, 1, 500) == 1; turn++)
                accept(listener, 0, 0);
            return 0;
        }
    for (int client = 0; client < 60; client++)
        connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&at, size);
    while (wait(0) > 0)
        ;
    return 0;
}
