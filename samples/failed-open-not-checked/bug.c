/* Appends to a log in a directory that is not there: nobody looks at what open returned, and the line is lost. */
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
    note(log, "started\n");
    note(log, "stopped\n");
    return 0;
}
