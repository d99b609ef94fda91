/* Descriptors that go from one process to another: by SCM_RIGHTS, and by pidfd_getfd. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

union control {
    struct cmsghdr header;
    char space[CMSG_SPACE(2 * sizeof(int))];
};

static struct msghdr message(union control *control, struct iovec *data, int count)
{
    struct msghdr made = {.msg_iov = data, .msg_iovlen = 1, .msg_control = control};
    made.msg_controllen = CMSG_SPACE(count * sizeof(int));
    return made;
}

static void give(int to, const int *fds, int count)
{
    union control control = {.space = {0}};
    struct iovec data = {.iov_base = "x", .iov_len = 1};
    struct msghdr all = message(&control, &data, count);
    control.header = (struct cmsghdr){CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
    sendmsg(to, &all, 0);
}

static void take(int from, int flags)
{
    union control control;
    char byte;
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr all = message(&control, &data, 2);
    recvmsg(from, &all, flags);
}

int main(void)
{
    int pair[2], tube[2], fd;

    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    pid_t child = fork();
    if (child == 0) {
        close(pair[0]);
        take(pair[1], 0);
        take(pair[1], MSG_CMSG_CLOEXEC);
        read(pair[1], &fd, 1);
        _exit(0);
    }
    close(pair[1]);
    fd = open("/etc/shells", O_RDONLY);
    give(pair[0], &fd, 1);
    pipe(tube);
    give(pair[0], tube, 2);
    close(tube[0]);
    close(tube[1]);
    int pidfd = syscall(SYS_pidfd_open, child, 0);
    usleep(100000); /* the child has taken all */
    syscall(SYS_pidfd_getfd, pidfd, pair[1], 0);
    close(pair[0]);
    wait(NULL);
    return 0;
}
