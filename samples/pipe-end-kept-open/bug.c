/* Reads the output of a child to its end, with the write end of the pipe still open in the reader itself. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    pid_t reader = fork();
    if (reader == 0) {
        int ends[2];
        char block[4096];
        if (pipe(ends) != 0)
            return 1;
        if (fork() == 0) {
            close(ends[0]);
            _exit(write(ends[1], "42\n", 3) != 3);
        }
#ifdef FIXED
        close(ends[1]);
#endif
        while (read(ends[0], block, sizeof block) > 0)
            ;
        return wait(0) < 0;
    }
    usleep(1200000);
    kill(reader, SIGTERM);
    waitpid(reader, 0, 0);
    return 0;
}
