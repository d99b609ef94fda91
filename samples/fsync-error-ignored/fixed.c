/* A failed fsync is taken for a loss: the records, still in memory, go to a new file on another disk. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define JOURNAL "/srv/tracediag/thin-disk/journal"

static char records[4 * 4096];

static int save(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        return -1;
    int failed = write(fd, records, sizeof records) != (ssize_t)sizeof records || fsync(fd) != 0;
    if (failed)
        perror(path);
    return close(fd) != 0 || failed ? -1 : 0;
}

int main(void)
{
    memset(records, 'a', sizeof records);
    if (save(JOURNAL) == 0)
        return 0;
    unlink(JOURNAL);
    return save("journal") == 0 ? 0 : 1;
}
