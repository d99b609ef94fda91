/* A child locks a file, opens it a second time, and waits for its own lock. */
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    pid_t child = fork();
    if (child == 0) {
        int first = open("state.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        flock(first, LOCK_EX);
        int second = open("state.lock", O_RDWR | O_CLOEXEC);
        flock(second, LOCK_EX);
        _exit(0);
    }
    usleep(300000);
    kill(child, SIGTERM);
    waitpid(child, 0, 0);
    unlink("state.lock");
    return 0;
}
