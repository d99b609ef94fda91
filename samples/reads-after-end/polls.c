/* Follows a log by looking again after a pause, as many a script does: it works, and wakes up for nothing. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(void) {
    int made = open("work.log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (write(made, "started\n", 8) < 0)
        return 1;
    int fd = open("work.log", O_RDONLY | O_CLOEXEC);
    char line[256];
    for (int turn = 0; turn < 25; turn++) {
        if (turn == 20 && write(made, "done\n", 5) < 0)
            return 1;
        if (read(fd, line, sizeof line) == 0)
            nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return 0;
}
