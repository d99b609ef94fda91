/* Reads the output of a start script to its end; the service that the script starts has inherited the pipe. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    pid_t reader = fork();
    if (reader == 0) {
        int ends[2];
        char block[4096];
        setpgid(0, 0);
        if (pipe(ends) != 0)
            return 1;
        if (fork() == 0) { /* the script */
            close(ends[0]);
            if (fork() == 0) { /* the service */
                pause();
                _exit(0);
            }
            _exit(write(ends[1], "started\n", 8) != 8);
        }
        close(ends[1]);
        while (read(ends[0], block, sizeof block) > 0)
            ;
        return wait(0) < 0;
    }
    usleep(1200000);
    kill(-reader, SIGTERM);
    waitpid(reader, 0, 0);
    return 0;
}
