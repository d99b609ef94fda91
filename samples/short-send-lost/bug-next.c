/* A server that sends the parts of a film one by one, whatever the kernel has taken of each: parts are cut short. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <string.h>
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

static void start_reader(int listener)
{
    static char part[100000];
    if (fork() == 0) {
        close(listener);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connect(fd, (struct sockaddr *)&address, sizeof address);
        while (recv(fd, part, sizeof part, 0) > 0)
            usleep(2000);
        _exit(0);
    }
}

int main(void)
{
    static char part[600000];
    int listener = start_listening(128);
    start_reader(listener);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    for (int number = 0; number < 16; number++) {
        memset(part, 'a' + number, sizeof part);
        send(fd, part, sizeof part, MSG_NOSIGNAL);
        usleep(2000);
    }
    close(fd);
    wait(NULL);
    return 0;
}
