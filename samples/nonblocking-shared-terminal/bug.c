/* A look at the standard input must not block, so it is made non-blocking; cat, which reads it next, is not prepared for that. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static void peek(void)
{
    char text[64];
    int flags = fcntl(0, F_GETFL);
    fcntl(0, F_SETFL, flags | O_NONBLOCK);
    _exit(read(0, text, sizeof text) > 0 ? 0 : 1);
}

static void cat(void)
{
    execl("/bin/cat", "cat", (char *)NULL);
    _exit(127);
}

static int run(void (*program)(void))
{
    int status;
    if (fork() == 0)
        program();
    wait(&status);
    return WEXITSTATUS(status);
}

int main(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0 || dup2(ends[0], 0) != 0)
        return 1;
    if (fork() == 0) {
        usleep(200000);
        _exit(write(ends[1], "late\n", 5) != 5);
    }
    close(ends[0]);
    close(ends[1]);
    run(peek);
    return run(cat);
}
