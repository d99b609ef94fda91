/* The result of fsync is not looked at, and the journal grows on behind the hole. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define JOURNAL "/srv/tracediag/thin-disk/journal"

int main(void)
{
    char page[4096];
    int fd = open(JOURNAL, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    if (fd < 0)
        return 1;
    for (char fill = 'a'; fill < 'd'; fill++) {
        memset(page, fill, sizeof page);
        if (write(fd, page, sizeof page) != (ssize_t)sizeof page)
            return 1;
        if (fill == 'a')
            fsync(fd);
    }
    close(fd);
    return 0;
}
