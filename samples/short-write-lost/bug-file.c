/* Saves 8 KB where a limit leaves room for 5000 bytes, and looks only for -1. */
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static char text[8192];

int main(void) {
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 5000, .rlim_max = 5000});
    int fd = open("notes.txt", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    for (size_t at = 0; at < sizeof text; at++)
        text[at] = (char)('a' + at % 26);
    if (write(fd, text, sizeof text) < 0)
        return 1;
    return close(fd) < 0;
}
