/* The descriptor goes to fdopen, and belongs to the stream from then on: fclose is the only one to close it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>

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
    int lines = count_lines(open("/etc/shells", O_RDONLY | O_CLOEXEC));
    return lines == 0;
}
