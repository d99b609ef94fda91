/* The program that is started has the listener by intent: it is told the number. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (const struct sockaddr *)&address, sizeof address);
    listen(listener, 16);
    if (fork() == 0) {
        execl("/bin/readlink", "readlink", "/proc/self/fd/3", (char *)NULL);
        _exit(127);
    }
    return wait(NULL) < 0;
}
