/* Saves 8 KB where a limit leaves room for 5000 bytes; says so, and takes the file back. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static char text[8192];

int main(void) {
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 5000, .rlim_max = 5000});
    int fd = open("notes.txt", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (write(fd, text, sizeof text) != sizeof text) {
        unlink("notes.txt");
        fputs("notes.txt: cannot be written whole\n", stderr);
    }
    return close(fd) < 0;
}
