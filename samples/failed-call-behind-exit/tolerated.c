/* Removes an old file with rm, which complains that there is none; that is fine, and the program goes on and ends well. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    if (fork() == 0) {
        execl("/bin/rm", "rm", "old.log", (char *)NULL);
        _exit(127);
    }
    wait(NULL);
    return EXIT_SUCCESS;
}
