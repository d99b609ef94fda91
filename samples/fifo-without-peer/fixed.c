/* The parent opens the other end and writes. */
#define FIXED
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    char text[16];
    mkfifo("queue", 0600);
    pid_t child = fork();
    if (child == 0) {
        int end = open("queue", O_RDONLY | O_CLOEXEC);
        _exit(read(end, text, sizeof text) > 0 ? 0 : 1);
    }
#ifdef FIXED
    int other = open("queue", O_WRONLY | O_CLOEXEC);
    write(other, "job\n", 4);
#else
    usleep(1200000);
    kill(child, SIGTERM);
#endif
    waitpid(child, 0, 0);
    unlink("queue");
    return 0;
}
