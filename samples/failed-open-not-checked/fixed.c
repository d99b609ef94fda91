/* Appends to a log; where that cannot be opened, the lines go to the standard error. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void note(int log, const char *text)
{
    (void)!write(log, text, strlen(text));
}

int main(void)
{
    int log = open("/srv/tracediag/log/app.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0)
        log = STDERR_FILENO;
    note(log, "started\n");
    note(log, "stopped\n");
    return 0;
}
