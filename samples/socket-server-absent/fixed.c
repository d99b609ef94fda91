/* Starts its own server and connects to it as soon as the server says that it listens. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "service.sock"};

static void start_server(int ready)
{
    if (fork() == 0) {
        usleep(100000);
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bind(listener, (struct sockaddr *)&address, sizeof address);
        listen(listener, 16);
        if (write(ready, "1", 1) != 1)
            _exit(1);
        close(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
        close(listener);
        unlink(address.sun_path);
        _exit(0);
    }
}

int main(void)
{
    int ends[2];
    char byte;
    unlink(address.sun_path);
    if (pipe(ends) != 0)
        return 1;
    start_server(ends[1]);
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1)
        return 1;
    close(ends[0]);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror(address.sun_path);
        return 1;
    }
    close(fd);
    wait(NULL);
    return 0;
}
