/* A FUSE file system that answers its first request, and all others with one errno, or not at all: server FOLDER [ERRNO]. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

int main(int count, char **words)
{
    static char request[1 << 20];
    char options[128];
    int device = open("/dev/fuse", O_RDWR | O_CLOEXEC), error = count > 2 ? atoi(words[2]) : 0;
    if (device < 0) { perror("/dev/fuse"); return 1; }
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
    if (mount("archive", words[1], "fuse", MS_NOSUID | MS_NODEV, options) != 0) { perror("mount"); return 1; }
    alarm(4); /* without a server the kernel ends all requests */
    for (;;) {
        ssize_t size = read(device, request, sizeof request);
        if (size < 0) { if (errno == EINTR || errno == ENOENT) continue; return 0; }
        struct fuse_in_header *asked = (void *)request;
        if (asked->opcode == FUSE_INIT) {
            struct { struct fuse_out_header head; struct fuse_init_out init; } answer = {
                .head = {.len = sizeof answer, .unique = asked->unique},
                .init = {.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 4096}};
            if (write(device, &answer, sizeof answer) < 0) return 1;
        } else if (error) {
            struct fuse_out_header answer = {.len = sizeof answer, .error = -error, .unique = asked->unique};
            if (write(device, &answer, sizeof answer) < 0 && errno != ENOENT) return 1;
        }
    }
}
