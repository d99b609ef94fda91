/* The watchdog is armed, and what it should call was never installed. */
#include <unistd.h>

int main(void)
{
    ualarm(100000, 0);
    pause();
    return 0;
}
