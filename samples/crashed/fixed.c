/* A missing file means that there is nothing to set. */
#include <stdio.h>

int main(void)
{
    char line[128];
    FILE *settings = fopen("/srv/tracediag/settings.conf", "r");
    if (settings == NULL)
        return 0;
    while (fgets(line, sizeof line, settings) != NULL)
        fputs(line, stdout);
    fclose(settings);
    return 0;
}
