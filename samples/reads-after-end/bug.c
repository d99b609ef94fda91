/* Follows a log until it says "done", by reading on and on: at the end of the file nothing waits. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void log_line(const char *line) {
    int fd = open("work.log", O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0 || write(fd, line, strlen(line)) < 0)
        _exit(1);
    close(fd);
}

int main(void) {
    int made = open("work.log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    close(made);
    log_line("started\n");
    pid_t worker = fork();
    if (worker == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        log_line("done\n");
        _exit(0);
    }
    int fd = open("work.log", O_RDONLY | O_CLOEXEC);
    char line[256];
    ssize_t size;
    do {
        while ((size = read(fd, line, sizeof line - 1)) == 0)
            ; /* nothing new yet */
        line[size < 0 ? 0 : size] = '\0';
        fputs(line, stdout);
    } while (size > 0 && strstr(line, "done") == NULL);
    close(fd);
    waitpid(worker, NULL, 0);
    return 0;
}
