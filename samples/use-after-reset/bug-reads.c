/* A client that reads on after ECONNRESET, hoping that more will come. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in address = {.sin_family = AF_INET};

static int start_listening(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&address, length);
    listen(listener, 128);
    getsockname(listener, (struct sockaddr *)&address, &length);
    return listener;
}

/* A server that goes down with the request unread: the client gets a reset. */
static void start_server(void)
{
    int listener = start_listening();
    if (fork() == 0) {
        char first;
        recv(accept4(listener, NULL, NULL, SOCK_CLOEXEC), &first, 1, 0);
        _exit(0);
    }
    close(listener);
}

int main(void)
{
    char answer[64];
    start_server();
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    send(fd, "what time is it?\n", 17, MSG_NOSIGNAL);
    wait(NULL);
    for (int attempt = 0; attempt < 3; attempt++)
        if (recv(fd, answer, sizeof answer, 0) > 0)
            break;
    close(fd);
    return 0;
}
