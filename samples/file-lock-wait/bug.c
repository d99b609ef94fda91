/* Takes a lock in the parent, keeps it, and lets the child wait for it until an alarm ends the child. */
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int held = open("backup.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    flock(held, LOCK_EX);
    pid_t child = fork();
    if (child == 0) {
        int mine = open("backup.lock", O_RDWR | O_CLOEXEC);
#ifdef FIXED
        _exit(flock(mine, LOCK_EX | LOCK_NB) == 0 ? 0 : 75);
#endif
        flock(mine, LOCK_EX);
        _exit(0);
    }
    usleep(1200000);
    kill(child, SIGTERM);
    waitpid(child, 0, 0);
    unlink("backup.lock");
    return 0;
}
