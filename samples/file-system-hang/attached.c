/* A service whose worker looks at a file of a mount, and which does other work meanwhile; strace is attached to it.
   The trace shows no statfs: of which type the file system is only /proc/PID/mountinfo shows. */
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    struct stat status;
    sleep(2);
    if (fork() == 0)
        _exit(stat("/srv/tracediag/file-system-hang/archive/report.txt", &status) == 0);
    for (int i = 0; i < 30; i++)
        usleep(100000);
    return 0;
}
