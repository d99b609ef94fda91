/* Reads the answer of a slow worker; the handler of SIGCHLD lets the read go on. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void ended(int number) {
    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

static void pause_ms(long ms) {
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

int main(void) {
    struct sigaction action = {.sa_handler = ended, .sa_flags = SA_RESTART};
    sigaction(SIGCHLD, &action, NULL);
    int ends[2];
    if (pipe(ends) < 0)
        return 1;
    if (fork() == 0) {
        pause_ms(20);
        _exit(0);
    }
    if (fork() == 0) {
        close(ends[0]);
        signal(SIGPIPE, SIG_IGN);
        pause_ms(40);
        _exit(write(ends[1], "done\n", 5) != 5);
    }
    close(ends[1]);
    char answer[64];
    ssize_t size = read(ends[0], answer, sizeof answer);
    if (size < 0) {
        perror("no answer");
        return 1;
    }
    return write(1, answer, (size_t)size) < 0;
}
