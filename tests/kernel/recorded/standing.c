/* Who a process is: its group, its session, its terminal's group, its users and groups. Run it as root. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    gid_t groups[] = {10, 20};

    getpgrp();
    getsid(0);
    if (fork() == 0) {
        setsid();
        int master = posix_openpt(O_RDWR | O_NOCTTY);
        grantpt(master);
        unlockpt(master);
        int terminal = open(ptsname(master), O_RDWR);
        ioctl(terminal, TIOCSCTTY, 0);
        tcgetpgrp(terminal);
        pid_t job = fork();
        if (job == 0) {
            setpgid(0, 0);
            pause();
        }
        setpgid(job, job);
        signal(SIGTTOU, SIG_IGN);
        tcsetpgrp(terminal, job);
        kill(job, SIGKILL);
        wait(NULL);
        _exit(0);
    }
    wait(NULL);
    if (fork() == 0) {
        getuid();
        setgroups(2, groups);
        getgroups(0, NULL);
        getgroups(2, groups);
        setresgid(-1, 65534, -1);
        setgid(65534);
        seteuid(65534);
        setuid(0);
        setreuid(65534, 65534);
        _exit(0);
    }
    wait(NULL);
    return 0;
}
