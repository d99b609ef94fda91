/* The alternate stack is made once and freed too early: the frame of the next signal cannot be written. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>

static void tick(int number)
{
    (void)number;
}

int main(void)
{
    stack_t stack = {.ss_size = 16384};
    struct sigaction action = {.sa_handler = tick, .sa_flags = SA_ONSTACK};
    stack.ss_sp = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    munmap(stack.ss_sp, stack.ss_size);
    return raise(SIGUSR1);
}
