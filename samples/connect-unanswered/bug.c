/* Connects three times to a server that sleeps instead of accepting: its queue has room for one connection. */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef FIXED
#define BACKLOG 8
#else
#define BACKLOG 0
#endif

int main(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "service.sock"};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(name.sun_path);
    if (bind(listener, (struct sockaddr *)&name, sizeof name) != 0 || listen(listener, BACKLOG) != 0)
        return 1;
    pid_t client = fork();
    if (client == 0) {
        close(listener);
        for (int count = 0; count < 3; count++)
            if (connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof name) != 0)
                return 1;
        return 0;
    }
#ifdef FIXED
    for (int count = 0; count < 3; count++)
        accept(listener, 0, 0);
#endif
    usleep(1200000);
    kill(client, SIGTERM);
    waitpid(client, 0, 0);
    unlink(name.sun_path);
    return 0;
}
