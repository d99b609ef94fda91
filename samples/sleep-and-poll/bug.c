/* Waits for a file that its child creates under another name. */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef FIXED
#define FLAG "ready"
#else
#define FLAG "ready.flag"
#endif

int main(void)
{
    int status = 75;
    if (fork() == 0) {
        usleep(450000);
        _exit(open("ready", O_WRONLY | O_CREAT | O_CLOEXEC, 0644) < 0);
    }
    for (int attempt = 0; attempt < 5; attempt++) {
        if (access(FLAG, F_OK) == 0) {
            status = 0;
            break;
        }
        usleep(300000);
    }
    wait(0);
    unlink("ready");
    return status;
}
