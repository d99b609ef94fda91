/* A shell runs a script whose interpreter is not installed here. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char script[] = "#!/usr/local/bin/python2\nprint 'hello'\n";

int main(void)
{
    int fd = open("report", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    if (fd < 0 || write(fd, script, strlen(script)) < 0)
        return 1;
    close(fd);
    execl("/bin/bash", "bash", "-c", "./report; exit $?", (char *)NULL);
    return 127;
}
