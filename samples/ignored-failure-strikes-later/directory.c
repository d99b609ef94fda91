/* The directory for the spool cannot be made; all that is said in the end is that a file is missing. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    if (setuid(65534) != 0)
        return 1;
    mkdir("spool", 0755);
    int fd = open("spool/journal", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0) {
        perror("spool/journal");
        return 1;
    }
    close(fd);
    return 0;
}
