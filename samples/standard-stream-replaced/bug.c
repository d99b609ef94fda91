/* A daemon closes its standard streams. The connection of its first client gets the number 2, and with it the messages. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void client(const struct sockaddr_in *server)
{
    char text[128];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)server, sizeof *server) != 0 || send(fd, "get\n", 4, MSG_NOSIGNAL) != 4)
        _exit(1);
    while (recv(fd, text, sizeof text, 0) > 0)
        ;
    _exit(0);
}

int main(void)
{
    char text[16];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(listener, (const struct sockaddr *)&address, sizeof address);
    listen(listener, 16);
    getsockname(listener, (struct sockaddr *)&address, &size);
    if (fork() == 0)
        client(&address);

    close(0); /* no terminal any more */
    close(1);
    close(2);
    int prices = open("prices", O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
    int rates = open("rates", O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
    int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (recv(connection, text, sizeof text, 0) > 0) {
        if (open("discounts", O_RDONLY | O_CLOEXEC) < 0)
            perror("discounts");
        send(connection, "42 EUR\n", 7, MSG_NOSIGNAL);
    }
    close(connection);
    close(rates);
    close(prices);
    return wait(NULL) < 0;
}
