/* The result of fclose is checked: the failure is told, and the report goes to another place. */
#include <stdio.h>

static int save_report(const char *path)
{
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        perror(path);
        return -1;
    }
    for (int day = 1; day <= 3; day++)
        fprintf(out, "day %d: ok\n", day);
    int broken = ferror(out);
    if (fclose(out) != 0 || broken) {
        perror(path);
        return -1;
    }
    return 0;
}

int main(void)
{
    if (save_report("/dev/full") == 0)
        return 0;
    return save_report("report.txt") == 0 ? 0 : 1;
}
