/* A nightly job run through the shell: the shell passes on the status of cp, and the job that of the shell. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

int main(void)
{
    int status = system("cp /etc/shells backup/shells && echo saved");
    if (status != 0) {
        puts("job failed");
        return WEXITSTATUS(status);
    }
    return 0;
}
