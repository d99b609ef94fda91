/* Looks whether a key has been pressed, and leaves the terminal non-blocking: to be recorded in a terminal. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    char key;
    if (!isatty(0))
        return 0;
    fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
    puts(read(0, &key, 1) == 1 ? "pressed" : "not pressed");
    return 0;
}
