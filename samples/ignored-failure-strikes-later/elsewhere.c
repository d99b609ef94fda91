/* Cleans its working directory; since that is not there, it cleans the one that it was started in. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    close(open("report.txt", O_WRONLY | O_CREAT, 0644)); /* somebody else's */
    if (chdir("/srv/tracediag/scratch") != 0) {
        /* cannot be: it is made at boot */
    }
    unlink("report.txt");
    return 0;
}
