/* Asks whether it may use colours before it prints the error, and prints that of the question. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    if (mkdir("/proc/cache", 0755) < 0) {
        const char *red = isatty(STDERR_FILENO) ? "\033[31m" : "";
        fprintf(stderr, "%scannot make the cache: %s\n", red, strerror(errno));
        return 1;
    }
    return 0;
}
