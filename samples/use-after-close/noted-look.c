/* A program asks with fstat which of the numbers in /proc/self/fd are open; among them is that of the directory itself, closed by then. */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

int main(void)
{
    int numbers[16], count = 0;
    DIR *folder = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL && count < 16;)
        if (entry->d_name[0] != '.')
            numbers[count++] = atoi(entry->d_name);
    closedir(folder);
    for (int at = 0; at < count; at++) {
        struct stat found;
        fstat(numbers[at], &found);
    }
    return 0;
}
