/* Writes a journal; the disk takes four seconds for one of the records (strace delays that fsync: record.sh). */
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
    int journal = open("journal", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (int number = 0; number < 6; number++) {
        write(journal, "record\n", 7);
        fsync(journal);
    }
    return 0;
}
