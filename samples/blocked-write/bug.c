/* Writes blocks into a pipe; the process at the other end sleeps instead of reading. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char block[65536];

int main(void)
{
    int ends[2];
    if (pipe(ends) != 0)
        return 1;
    pid_t reader = fork();
    if (reader == 0) {
        close(ends[1]);
#ifdef FIXED
        while (read(ends[0], block, sizeof block) > 0)
            ;
#else
        sleep(30);
#endif
        return 0;
    }
    close(ends[0]);
    pid_t writer = fork();
    if (writer == 0) {
        for (int count = 0; count < 3; count++)
            if (write(ends[1], block, sizeof block) != sizeof block)
                return 1;
        return 0;
    }
    close(ends[1]);
    usleep(1200000);
    kill(writer, SIGTERM);
    kill(reader, SIGTERM);
    while (wait(0) > 0)
        ;
    return 0;
}
