/* Feeds a report to sort, which cannot open its result and ends; the program sees no more of that than EPIPE. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t start_sort(int *input, const char *result)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        exit(EXIT_FAILURE);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[0], STDIN_FILENO);
        execl("/usr/bin/sort", "sort", "-o", result, (char *)NULL);
        _exit(127);
    }
    close(ends[0]);
    *input = ends[1];
    return child;
}

int main(void)
{
    char lines[4096];
    int input, status, failed = 0;
    signal(SIGPIPE, SIG_IGN);
    memset(lines, '\n', sizeof lines);
    pid_t child = start_sort(&input, "reports/today.txt");
    for (int block = 0; block < 64 && !failed; block++)
        failed = write(input, lines, sizeof lines) < 0;
    close(input);
    waitpid(child, &status, 0);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
