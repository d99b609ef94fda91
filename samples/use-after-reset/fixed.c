/* The same program: a failed send ends the connection, and what follows is kept on the standard error. */
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

static int collector = -1;

static void ship(const char *record)
{
    size_t size = strlen(record);
    if (collector >= 0 && send(collector, record, size, MSG_NOSIGNAL) == (ssize_t)size)
        return;
    if (collector >= 0)
        close(collector);
    collector = -1;
    (void)!write(STDERR_FILENO, record, size);
}

int main(void)
{
    start_collector();
    collector = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(collector, (struct sockaddr *)&address, sizeof address);
    ship("started\n");
    wait(NULL);
    ship("one\n");
    ship("two\n");
    ship("three\n");
    ship("four\n");
    ship("stopped\n");
    if (collector >= 0)
        close(collector);
    return 0;
}
