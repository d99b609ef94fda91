/* Writes all data to a filter before it reads from it: both pipes fill up, until another process ends both. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char data[300000];

/* Copies all input to the output, as cat does. */
static void filter(int in, int out)
{
    static char block[65536];
    ssize_t got;
    while ((got = read(in, block, sizeof block)) > 0)
        if (write(out, block, got) != got)
            _exit(1);
    _exit(0);
}

int main(void)
{
    pid_t group = fork();
    if (group == 0) {
        int to[2], from[2];
        setpgid(0, 0);
        if (pipe(to) != 0 || pipe(from) != 0)
            return 1;
        if (fork() == 0) {
            close(to[1]);
            close(from[0]);
            filter(to[0], from[1]);
        }
        close(to[0]);
        close(from[1]);
#ifdef FIXED
        if (fork() == 0) {
            close(from[0]);
            _exit(write(to[1], data, sizeof data) != sizeof data);
        }
#else
        if (write(to[1], data, sizeof data) != sizeof data)
            return 1;
#endif
        close(to[1]);
        while (read(from[0], data, 65536) > 0)
            ;
        while (wait(0) > 0)
            ;
        return 0;
    }
    usleep(1200000);
    kill(-group, SIGTERM);
    waitpid(group, 0, 0);
    return 0;
}
