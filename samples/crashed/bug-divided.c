/* The mean of nothing: the sum is divided by a count of zero. */
#include <stdio.h>

int main(void)
{
    volatile int sum = 0, count = 0;
    printf("%d\n", sum / count);
    return 0;
}
