/* A parent stops a helper that it needs no longer: meant so. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    pid_t helper = fork();
    if (helper == 0)
        for (;;)
            pause();
    usleep(50000);
    kill(helper, SIGTERM);
    return waitpid(helper, NULL, 0) != helper;
}
