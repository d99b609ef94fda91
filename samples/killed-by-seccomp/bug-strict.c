/* Strict mode allows read, write and exit of a thread; printf's first call asks what kind of file stdout is. */
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>

int main(void)
{
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    printf("inside\n");
    return 0;
}
