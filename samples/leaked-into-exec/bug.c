/* A server starts a helper that lives longer than itself: the helper has the listener, too, and the next start fails. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int listen_at(struct sockaddr_in *address)
{
    int on = 1;
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) != 0 || listen(fd, 16) != 0)
        return -1;
    getsockname(fd, (struct sockaddr *)address, &size);
    return fd;
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = listen_at(&address);
    pid_t helper = fork();
    if (helper == 0) {
        execl("/bin/sleep", "sleep", "0.3", (char *)NULL);
        _exit(127);
    }
    usleep(100000);
    close(listener); /* the server is told to start anew */
    listener = listen_at(&address);
    if (listener < 0)
        perror("server: listen");
    waitpid(helper, NULL, 0);
    return listener < 0;
}
