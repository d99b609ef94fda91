/* Asks once for the lock that its parent holds for half a second, and fails. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef FIXED
#define ATTEMPTS 10
#else
#define ATTEMPTS 1
#endif

int main(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int state = open("state.db", O_RDWR | O_CREAT | O_CLOEXEC, 0644), status = 0;
    fcntl(state, F_SETLK, &lock);
    if (fork() == 0) {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            if (attempt > 0)
                usleep(100000);
            if (fcntl(state, F_SETLK, &lock) == 0)
                return 0;
        }
        fcntl(state, F_GETLK, &lock);
        fprintf(stderr, "cannot lock state.db: process %d has it\n", lock.l_pid);
        return 100;
    }
    usleep(500000);
    lock.l_type = F_UNLCK;
    fcntl(state, F_SETLK, &lock);
    wait(&status);
    unlink("state.db");
    return WEXITSTATUS(status);
}
