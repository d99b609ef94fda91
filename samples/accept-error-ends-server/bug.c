/* A server with a child a visitor. The end of a child interrupts accept with EINTR, which the server takes for the end
 * of everything. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
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

static void reap(int signal)
{
    (void)signal;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
}

/* Two visitors, one after the other. */
static void start_visitors(int listener)
{
    char answer[16];
    if (fork() == 0) {
        close(listener);
        for (int i = 0; i < 2; i++) {
            int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
                recv(fd, answer, sizeof answer, 0);
            close(fd);
            usleep(100000);
        }
        _exit(0);
    }
}

int main(void)
{
    struct sigaction action = {.sa_handler = reap};
    sigaction(SIGCHLD, &action, NULL);
    int listener = start_listening(128);
    start_visitors(listener);
    for (int served = 0; served < 2;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            perror("accept");
            return 1;
        }
        if (fork() == 0) {
            usleep(20000);
            _exit(send(fd, "hello\n", 6, MSG_NOSIGNAL) != 6);
        }
        close(fd);
        served++;
    }
    return 0;
}
