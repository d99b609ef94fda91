/* A slot is cleared to 0 and not to -1, so its clean-up closes fd 0: the command socket. What is opened next gets its number. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct slot {
    int memory;
};

static void clear(struct slot *slot)
{
    if (slot->memory >= 0)
        close(slot->memory);
}

int main(void)
{
    int ends[2];
    struct slot slot = {0};
    close(0);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return 1;
    clear(&slot);
    slot.memory = memfd_create("ring", MFD_CLOEXEC);
    return send(ends[0], "setup", 5, MSG_NOSIGNAL) != 5;
}
