/* A worker looks at a file of a mount; its supervisor ends it after a second and a half. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    pid_t worker = fork();
    if (worker == 0) {
        struct stat status;
        _exit(stat("archive/report.txt", &status) == 0);
    }
    for (int i = 0; i < 3; i++)
        usleep(500000);
    kill(worker, SIGKILL);
    waitpid(worker, NULL, 0);
    return 0;
}
