/* A parent that waits for a first child and ignores SIGCHLD then: the kernel reaps its children, and sends no signal.
   cc -o ignoring ignoring.c && strace -f -tt -e trace=desc,process -o ignoring.process.strace ./ignoring */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    if (fork() == 0)
        return 0;
    wait(0);
    signal(SIGCHLD, SIG_IGN);
    for (int child = 0; child < 8; child++) {
        if (fork() == 0)
            return write(1, "\n", 1) != 1;
        usleep(200000);
    }
    return 0;
}
