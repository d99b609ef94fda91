/* A buffer is freed twice: the C library notices, says so and aborts. */
#include <stdlib.h>
#include <string.h>

static char *volatile greeting;

int main(void)
{
    greeting = strdup("hello");
    free(greeting);
    free(greeting);
    return 0;
}
