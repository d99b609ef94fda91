/* A server with a short queue and a child for each connection; its clients come one after the other. The end of each child interrupts
   the server's poll, which the kernel resumes. */
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    char answer[8];
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, length);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&address, &length);
    if (fork() == 0) {
        close(listener);
        for (int i = 0; i < 3; i++) {
            usleep(20000);
            int fd = socket(AF_INET, SOCK_STREAM, 0);
            if (connect(fd, (struct sockaddr *)&address, length) != 0 || read(fd, answer, sizeof answer) != 3)
                _exit(1);
            close(fd);
        }
        _exit(0);
    }
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    while (poll(&wait, 1, 300) > 0) {
        int fd = accept(listener, NULL, NULL);
        if (fork() == 0) {
            send(fd, "ok\n", 3, MSG_NOSIGNAL);
            _exit(0);
        }
        close(fd);
    }
    while (waitpid(-1, NULL, 0) > 0)
        ;
    return 0;
}
