/* The descriptor goes to fdopen, and fclose closes it; then it is closed once more. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int count_lines(int fd)
{
    char line[256];
    int lines = 0;
    FILE *stream = fdopen(fd, "r");
    while (fgets(line, sizeof line, stream) != NULL)
        lines++;
    fclose(stream);
    return lines;
}

int main(void)
{
    int fd = open("/etc/shells", O_RDONLY | O_CLOEXEC);
    int lines = count_lines(fd);
    close(fd);
    return lines == 0;
}
