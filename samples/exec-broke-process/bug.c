/* The helper is started with a limit on its address space that its image does not fit into. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int status = 0;
    if (fork() == 0) {
        struct rlimit limit = {256 * 1024, 256 * 1024};
        setrlimit(RLIMIT_AS, &limit);
        execl("/bin/true", "true", (char *)NULL);
        _exit(127);
    }
    wait(&status);
    return status != 0;
}
