/* A handler of SIGCHLD waits for any child, and so takes the status that system(3)'s like is waiting for. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void reap(int number)
{
    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
}

int main(void)
{
    int status;
    signal(SIGCHLD, reap);
    pid_t child = fork();
    if (child == 0)
        _exit(3);
    usleep(50000); /* the handler comes first */
    if (waitpid(child, &status, 0) < 0) {
        perror("waitpid");
        return EXIT_FAILURE;
    }
    return WEXITSTATUS(status);
}
