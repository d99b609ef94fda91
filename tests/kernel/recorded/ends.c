/* Both ends of a socketpair, of a TCP and a unix connection and of a pipe, in two processes. */
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int listener(int family, struct sockaddr *address, socklen_t *size)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(fd, address, *size);
    listen(fd, 8);
    getsockname(fd, address, size);
    return fd;
}

int main(void)
{
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "ends.sock"};
    socklen_t inet_size = sizeof inet, path_size = sizeof path;
    int pair[2], tube[2];
    char byte;

    signal(SIGPIPE, SIG_IGN);
    unlink(path.sun_path);
    int tcp = listener(AF_INET, (struct sockaddr *)&inet, &inet_size);
    int local = listener(AF_UNIX, (struct sockaddr *)&path, &path_size);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    pipe(tube);
    if (fork() == 0) {
        close(pair[0]);
        close(tube[0]);
        close(tcp);
        close(local);
        int one = socket(AF_INET, SOCK_STREAM, 0);
        connect(one, (struct sockaddr *)&inet, sizeof inet);
        write(one, "a", 1);
        int two = socket(AF_UNIX, SOCK_STREAM, 0);
        connect(two, (struct sockaddr *)&path, sizeof path);
        write(two, "b", 1);
        read(pair[1], &byte, 1); /* the parent has accepted both */
        write(tube[1], "c", 1);
        close(two);
        _exit(3);
    }
    close(pair[1]);
    close(tube[1]);
    int one = accept(tcp, NULL, NULL);
    read(one, &byte, 1);
    int two = accept(local, NULL, NULL);
    read(two, &byte, 1);
    write(pair[0], "d", 1);
    read(tube[0], &byte, 1);
    read(two, &byte, 1);
    wait(NULL);
    write(pair[0], "e", 1);
    close(one);
    close(two);
    unlink(path.sun_path);
    return 0;
}
