/* The handler only notes that it ran; the frame is the kernel's. */
#define _GNU_SOURCE
#include <signal.h>

static volatile sig_atomic_t ticks;

static void tick(int number)
{
    (void)number;
    ticks++;
}

int main(void)
{
    struct sigaction action = {.sa_handler = tick};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    return ticks != 1;
}
