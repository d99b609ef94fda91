/* Started without a standard error, as by 2>&-: the accounts get its number, and a message is written over them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void start_without_stderr(char **argv)
{
    if (argv[1] == NULL) {
        close(2);
        execl("/proc/self/exe", argv[0], "accounts", (char *)NULL);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    start_without_stderr(argv);
    char line[16];
    int accounts = open("accounts", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    (void)!write(accounts, "alice 100\nbob    50\n", 20);
    lseek(accounts, 0, SEEK_SET);
    (void)!read(accounts, line, 10);
    if (access("rules", R_OK) != 0)
        fprintf(stderr, "rules: %m\n");
    close(accounts);
    return 0;
}
