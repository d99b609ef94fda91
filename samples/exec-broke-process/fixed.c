/* The limit leaves room for the image and its libraries. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int status = 0;
    if (fork() == 0) {
        struct rlimit limit = {64 * 1024 * 1024, 64 * 1024 * 1024};
        setrlimit(RLIMIT_AS, &limit);
        execl("/bin/true", "true", (char *)NULL);
        _exit(127);
    }
    wait(&status);
    return status != 0;
}
