/* The default is a string constant, which lies in read-only memory; it is cut in place. */
#include <string.h>

static char *host = "localhost:8080";

int main(void)
{
    volatile char *colon = strchr(host, ':');
    *colon = '\0';
    return 0;
}
