#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* TZ names a zone that is installed. */
int main(void)
{
    time_t now = time(NULL);

    setenv("TZ", "Europe/Berlin", 1);
    return fputs(asctime(localtime(&now)), stdout) < 0;
}
