/* Takes one connection after the other, answers it, and forgets to close it: its client waits for the end of the answer. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static void ask(const struct sockaddr_in *server)
{
    char text[16];
    struct timeval patience = {0, 10000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)server, sizeof *server) == 0 && send(fd, "time?", 5, MSG_NOSIGNAL) == 5)
        while (recv(fd, text, sizeof text, 0) > 0)
            ;
    close(fd);
}

int main(void)
{
    char text[16];
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof server;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(listener, (const struct sockaddr *)&server, sizeof server);
    listen(listener, 128);
    getsockname(listener, (struct sockaddr *)&server, &size);
    pid_t client = fork();
    if (client == 0) {
        for (int i = 0; i < 12; i++)
            ask(&server);
        _exit(0);
    }
    for (int i = 0; i < 12; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (recv(fd, text, sizeof text, 0) == 5)
            send(fd, "noon", 4, MSG_NOSIGNAL);
    }
    return 0;
}
