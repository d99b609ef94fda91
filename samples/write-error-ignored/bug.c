/* The report goes to a full device; what fclose says of that is not looked at, and the program reports success. */
#include <stdio.h>

static void save_report(const char *path)
{
    FILE *out = fopen(path, "w");
    if (out == NULL)
        return;
    for (int day = 1; day <= 3; day++)
        fprintf(out, "day %d: ok\n", day);
    fclose(out);
}

int main(void)
{
    save_report("/dev/full");
    return 0;
}
