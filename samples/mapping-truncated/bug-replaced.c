/* Another process writes the file anew in place (as cp does) while this one has it mapped: it is empty for a moment. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_anew(int length)
{
    static const char page[4096] = "index";
    int fd = open("index", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (int i = 0; i < length; i++)
        if (write(fd, page, sizeof page) != sizeof page)
            _exit(1);
    close(fd);
}

int main(void)
{
    write_anew(4);
    int fd = open("index", O_RDONLY | O_CLOEXEC);
    volatile const char *index = mmap(NULL, 16384, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (index == MAP_FAILED)
        return 1;
    if (fork() == 0) {
        write_anew(1);
        _exit(0);
    }
    wait(NULL);
    return index[8192] != 'i';
}
