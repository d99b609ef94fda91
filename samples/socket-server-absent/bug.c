/* Starts its own server and connects to it at once, before the server has made its socket. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "service.sock"};

static void start_server(void)
{
    if (fork() == 0) {
        usleep(100000);
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bind(listener, (struct sockaddr *)&address, sizeof address);
        listen(listener, 16);
        usleep(100000);
        close(listener);
        unlink(address.sun_path);
        _exit(0);
    }
}

int main(void)
{
    unlink(address.sun_path);
    start_server();
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror(address.sun_path);
        return 1;
    }
    close(fd);
    wait(NULL);
    return 0;
}
