/* A server with a short queue accepts nothing for three seconds: the kernel drops the request of the client, which
   repeats it after one and after three seconds. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (void *)&at, size);
    listen(listener, 0);
    getsockname(listener, (void *)&at, &size);
    int first = socket(AF_INET, SOCK_STREAM, 0);
    connect(first, (void *)&at, size);
    if (fork() == 0) {
        close(listener);
        int client = socket(AF_INET, SOCK_STREAM, 0);
        connect(client, (void *)&at, size);
        write(client, "hello\n", 6);
        _exit(0);
    }
    sleep(3);
    close(accept(listener, NULL, NULL));
    close(accept(listener, NULL, NULL));
    wait(NULL);
    return 0;
}
