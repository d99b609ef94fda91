/* A supervisor answers the writes of a sandboxed child by seccomp, and returns more bytes than it was given. */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SINK 100 /* the descriptor whose writes the supervisor answers */

static int install_filter(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_write, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SINK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof code / sizeof code[0], code };
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

/* Writes all of a text, as every program does it. */
static int write_all(int fd, const char *text, size_t left)
{
    while (left != 0) {
        ssize_t done = write(fd, text, left);
        if (done < 0)
            return -1;
        text += done;
        left -= done;
    }
    return 0;
}

static long long answer(const struct seccomp_data *call)
{
    if (call->args[2] > 4096)
        return -1; /* no such text is expected */
    return call->args[2] + 1; /* counts the end of the string, too */
}

static void supervise(int listener)
{
    for (int calls = 0; calls < 2; calls++) {
        struct seccomp_notif request = { 0 };
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
            return;
        struct seccomp_notif_resp response = { .id = request.id };
        long long result = answer(&request.data);
        response.val = result < 0 ? 0 : result;
        response.error = result < 0 ? -14 : 0;
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
        if (result <= 0)
            return;
    }
}

int main(void)
{
    if (dup2(1, SINK) < 0)
        return 1;
    int listener = install_filter();
    if (listener < 0)
        return 1;
    pid_t child = fork();
    if (child == 0) {
        close(listener);
        write_all(SINK, "1\n", 2);
        _exit(0);
    }
    supervise(listener);
    close(listener);
    waitpid(child, NULL, 0);
    return 0;
}
