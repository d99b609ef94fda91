/* The stream that could not be opened is read from: fgets takes the null pointer for a FILE. */
#include <stdio.h>

int main(void)
{
    char line[128];
    FILE *settings = fopen("/srv/tracediag/settings.conf", "r");
    while (fgets(line, sizeof line, settings) != NULL)
        fputs(line, stdout);
    fclose(settings);
    return 0;
}
