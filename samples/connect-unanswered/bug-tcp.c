/* Connects three times over TCP to a server that does not accept: the kernel drops the third request. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(7003), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&name, sizeof name) != 0 || listen(listener, 0) != 0)
        return 1;
    pid_t client = fork();
    if (client == 0) {
        close(listener);
        for (int count = 0; count < 3; count++)
            if (connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof name) != 0)
                return 1;
        return 0;
    }
    usleep(1200000);
    kill(client, SIGTERM);
    waitpid(client, 0, 0);
    return 0;
}
