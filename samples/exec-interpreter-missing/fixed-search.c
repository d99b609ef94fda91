/* The search along PATH misses twice before it finds: nothing is wrong. */
#include <unistd.h>

int main(void)
{
    execl("/srv/tracediag/bin/true", "true", (char *)NULL);
    execl("/usr/local/bin/true", "true", (char *)NULL);
    execl("/usr/bin/true", "true", (char *)NULL);
    return 127;
}
