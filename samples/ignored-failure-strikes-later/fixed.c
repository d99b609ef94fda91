/* The result of the removal is looked at: what turns out to be a directory is removed as one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int remove_stale(const char *path)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return 0;
    return errno == EISDIR ? rmdir(path) : -1;
}

int main(void)
{
    mkdir("lock", 0755); /* left behind by another version of the program */
    if (remove_stale("lock") != 0) {
        perror("service: cannot remove the old lock");
        return 1;
    }
    int fd = open("lock", O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (fd < 0) {
        perror("service: lock");
        return 1;
    }
    close(fd);
    return unlink("lock") == 0 ? 0 : 1;
}
