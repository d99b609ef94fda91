/* The left end of a pipeline such as `seq 1 9999 | head -1`: it writes on when the reader has what it wanted. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int ends[2];
    char line[16];
    pipe2(ends, O_CLOEXEC);
    if (fork() == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        for (int number = 0; number < 3; number++) {
            (void)!write(STDOUT_FILENO, "one line\n", 9);
            usleep(50000);
        }
        _exit(0);
    }
    close(ends[1]);
    (void)!read(ends[0], line, sizeof line);
    close(ends[0]);
    wait(NULL);
    return 0;
}
