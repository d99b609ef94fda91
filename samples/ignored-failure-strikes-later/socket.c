/* A service started as another user cannot remove the socket of its former run, and does not notice. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PATH "run/service.sock"

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 8) != 0) {
        perror("service: bind");
        close(fd);
        return -1;
    }
    return fd;
}

int main(void)
{
    mkdir("run", 0755);
    int former = listen_at(PATH); /* by root */
    if (former < 0 || setuid(65534) != 0)
        return 1;
    close(former);
    return listen_at(PATH) < 0 ? 1 : 0;
}
