/* Starts a helper for each request, and takes the status of all that have ended after each. */
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

static void serve(int request)
{
    if (fork() == 0)
        _exit(request & 1);
}

int main(void)
{
    for (int request = 0; request < 3; request++) {
        serve(request);
        usleep(10000);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
    }
    usleep(100000);
    return 0;
}
