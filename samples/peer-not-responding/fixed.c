/* A client that asks a daemon for its state over a unix socket. The daemon answers. */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "daemon.sock"};

static pid_t start_daemon(void)
{
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(address.sun_path);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 16);
    pid_t pid = fork();
    if (pid == 0) {
        char request[64];
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        recv(fd, request, sizeof request, 0);
        send(fd, "fine\n", 5, MSG_NOSIGNAL);
        close(fd);
        _exit(0);
    }
    close(listener);
    return pid;
}

static pid_t start_client(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        char answer[64];
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connect(fd, (struct sockaddr *)&address, sizeof address);
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        send(fd, "state?\n", 7, MSG_NOSIGNAL);
        poll(&readable, 1, -1);
        recv(fd, answer, sizeof answer, 0);
        close(fd);
        _exit(0);
    }
    return pid;
}

int main(void)
{
    pid_t daemon = start_daemon();
    pid_t client = start_client();
    waitpid(client, NULL, 0);
    waitpid(daemon, NULL, 0);
    unlink(address.sun_path);
    return 0;
}
