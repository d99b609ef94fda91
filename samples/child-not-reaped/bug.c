/* Starts a helper for each request, and waits for none of them: each one that has ended stays as a zombie. */
#include <unistd.h>

static void serve(int request)
{
    if (fork() == 0)
        _exit(request & 1);
}

int main(void)
{
    for (int request = 0; request < 3; request++) {
        serve(request);
        usleep(10000);
    }
    usleep(100000);
    return 0;
}
