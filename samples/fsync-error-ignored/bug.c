/* A journal on a disk that has run out of room: fsync fails, is called once more, and its success is believed. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define JOURNAL "/srv/tracediag/thin-disk/journal"

static int append(int fd, char fill)
{
    char page[4096];
    memset(page, fill, sizeof page);
    for (int i = 0; i < 4; i++)
        if (write(fd, page, sizeof page) != (ssize_t)sizeof page)
            return -1;
    for (int attempt = 0; attempt < 3; attempt++)
        if (fsync(fd) == 0)
            return 0;
    return -1;
}

int main(void)
{
    int fd = open(JOURNAL, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        return 1;
    int failed = append(fd, 'a');
    close(fd);
    return failed ? 1 : 0;
}
