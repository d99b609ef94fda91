#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* cat, in place of ssh or ffmpeg, reads the rest of hosts: the loop ends after its first turn. */
int main(void)
{
    int fd = open("hosts", O_WRONLY | O_CREAT | O_EXCL, 0644);

    if (fd == -1 || write(fd, "alpha\nbeta\ngamma\n", 17) != 17 || close(fd) == -1)
        return 2;
    if (system("while read -r host; do echo \"$host\"; cat > /dev/null; done < hosts") != 0)
        return 3;
    return unlink("hosts") != 0;
}
