/* The table is read once more after it was unmapped. */
#include <stddef.h>
#include <sys/mman.h>

int main(void)
{
    volatile char *table = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED)
        return 1;
    table[4096] = 1;
    munmap((void *)table, 1 << 20);
    return table[4096];
}
