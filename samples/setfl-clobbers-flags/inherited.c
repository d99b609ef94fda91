/* The standard input is made non-blocking without a look at its flags; who gave it to us may have set some. */
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
    char line[64];
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    return read(STDIN_FILENO, line, sizeof line) < 0;
}
