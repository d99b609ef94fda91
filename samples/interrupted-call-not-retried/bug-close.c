/* Copies what a child sends; a change of the window's size (SIGWINCH) looks like the end of it. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void resized(int number) {
    (void)number;
}

static void pause_ms(long ms) {
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

int main(void) {
    struct sigaction action = {.sa_handler = resized};
    sigaction(SIGWINCH, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    int ends[2];
    if (pipe(ends) < 0)
        return 1;
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        if (write(ends[1], "first half\n", 11) != 11)
            _exit(1);
        pause_ms(20);
        kill(getppid(), SIGWINCH); /* in place of a user who pulls at the window */
        pause_ms(20);
        _exit(0);
    }
    close(ends[1]);
    char data[64];
    ssize_t size;
    while ((size = read(ends[0], data, sizeof data)) > 0)
        if (write(1, data, (size_t)size) < 0)
            return 1;
    close(ends[0]);
    waitpid(child, NULL, 0);
    return 0;
}
