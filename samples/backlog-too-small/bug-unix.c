/* Three clients of a unix socket whose server is busy for a moment, and whose queue has room for two. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "busy.sock"};

static int be_clients(int listener)
{
    close(listener);
    for (int i = 0; i < 3; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
            perror("busy.sock");
            return 1;
        }
    }
    return 0;
}

int main(void)
{
    int fd, listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(address.sun_path);
    bind(listener, (const struct sockaddr *)&address, sizeof address);
    listen(listener, 1);
    if (fork() == 0)
        _exit(be_clients(listener));
    usleep(60000);
    while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        close(fd);
    wait(NULL);
    unlink(address.sun_path);
    return 0;
}
