/* The hook was written with line ends of another system: its first line asks for an interpreter named "/bin/sh\r". */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char hook[] = "#!/bin/sh\r\nexit 0\r\n";

int main(void)
{
    int fd = open("./hook", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    if (fd < 0 || write(fd, hook, strlen(hook)) < 0)
        return 1;
    close(fd);
    execl("./hook", "./hook", (char *)NULL);
    perror("./hook");
    return 127;
}
