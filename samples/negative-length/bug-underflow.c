/* Reads messages that begin with their whole length; one says that it is shorter than its own head. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

struct head {
    uint32_t length; /* of head and text */
    uint32_t kind;
};

int main(void) {
    int fd = open("messages", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    struct head heads[] = {{.length = sizeof heads[0], .kind = 1}, {.length = 4, .kind = 2}, {.length = 9, .kind = 1}};
    if (write(fd, heads, sizeof heads) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return 1;
    struct head head;
    char text[256];
    while (read(fd, &head, sizeof head) == sizeof head) {
        size_t rest = head.length - sizeof head;
        if (rest > 0 && read(fd, text, rest) < 0)
            perror("messages");
    }
    return 0;
}
