/* Asks on /dev/tty, whatever stdin is, and waits for the answer. */
#include <fcntl.h>
#include <unistd.h>
#include <string.h>
int main(void) {
    char answer[64];
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    const char *q = "Overwrite x.conf? [y/N] ";
    if (tty < 0) return 2;
    if (write(tty, q, strlen(q)) < 0) return 2;
    return read(tty, answer, sizeof answer) < 1;
}
