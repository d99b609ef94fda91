/* The handler clears its own frame: the copy of the machine context runs beyond the local buffer. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <ucontext.h>

static void tick(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    /* sizeof of the wrong type: all of the saved registers are wiped, not only the set of signals. */
    memset(&((ucontext_t *)context)->uc_mcontext, 0xff, sizeof(mcontext_t));
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = tick, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &action, NULL);
    return raise(SIGUSR1);
}
