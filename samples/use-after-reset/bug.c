/* A program that ships its log to a collector, and never looks at what send returns. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <string.h>
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

/* A collector that goes down after the first record. */
static void start_collector(void)
{
    int listener = start_listening();
    if (fork() == 0) {
        char record[64];
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        recv(fd, record, sizeof record, 0);
        _exit(0);
    }
    close(listener);
}

static void ship(int fd, const char *record)
{
    send(fd, record, strlen(record), MSG_NOSIGNAL);
}

int main(void)
{
    start_collector();
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    ship(fd, "started\n");
    wait(NULL);
    ship(fd, "one\n");
    ship(fd, "two\n");
    ship(fd, "three\n");
    ship(fd, "four\n");
    ship(fd, "stopped\n");
    close(fd);
    return 0;
}
