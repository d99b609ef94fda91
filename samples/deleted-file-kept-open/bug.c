/* A service whose log is removed by a clean-up job: it keeps the old file open and writes on to it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void clean_up(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(unlink("service.log") == 0 ? 0 : 1);
    waitpid(child, NULL, 0);
}

int main(void)
{
    int fd = open("service.log", O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd < 0)
        return 1;
    for (int request = 1; request <= 12; request++) {
        char text[80];
        int length = snprintf(text, sizeof text, "request %d: 200 OK, %d bytes in 3 ms\n", request, 1000 + request);
        if (write(fd, text, length) != length)
            return 1;
        if (request == 3)
            clean_up();
    }
    return 0;
}
