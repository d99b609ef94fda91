/* Two servers take turns to accept under a file lock, as servers do since long: the one without the lock idles by design. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLIENTS = 12 };

static void serve(int listener)
{
    int lock = open("accept.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    for (;;) {
        flock(lock, LOCK_EX);
        int client = accept(listener, NULL, NULL);
        flock(lock, LOCK_UN);
        close(client);
    }
}

int main(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    pid_t servers[2];
    if (bind(listener, (struct sockaddr *)&here, size) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (struct sockaddr *)&here, &size) != 0)
        return 1;
    for (int i = 0; i < 2; i++)
        if ((servers[i] = fork()) == 0)
            serve(listener);
    for (int i = 0; i < CLIENTS; i++) {
        int client = socket(AF_INET, SOCK_STREAM, 0);
        usleep(120000);
        if (connect(client, (struct sockaddr *)&here, size) != 0)
            return 1;
        close(client);
    }
    for (int i = 0; i < 2; i++)
        kill(servers[i], SIGTERM);
    while (wait(NULL) > 0)
        ;
    return 0;
}
