/* A probe: a page that may not be read raises SIGSEGV, which is expected, caught and stepped over. */
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>

static sigjmp_buf probe;

static void refused(int number)
{
    siglongjmp(probe, number);
}

int main(void)
{
    volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction action = {.sa_handler = refused};
    sigaction(SIGSEGV, &action, NULL);
    if (sigsetjmp(probe, 1) == 0)
        return page[0];
    munmap((void *)page, 4096);
    return 0;
}
