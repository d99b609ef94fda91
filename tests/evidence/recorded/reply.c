/* A child closes both ends that it was forked with, writes its reply all the same, and becomes another program, as exim does;
   with an argument it exits with status 1 instead.
   cc -o reply reply.c && strace -f -tt -e trace=desc -o reply.desc.strace ./reply
   strace -f -tt -e trace=desc,process -o reply.process.strace ./reply
   strace -f -tt -o reply.stays.strace ./reply stays */
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int ends[2], pid;
    (void)argv;
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    write(ends[0], "MAIL", 4);
    if ((pid = fork()) == 0) {
        close(ends[0]);
        close(ends[1]);
        if (write(ends[0], "250 OK", 6) < 0 && argc > 1)
            return 1;
        execl("/bin/true", "true", (char *)0);
    }
    write(ends[0], "QUIT", 4);
    waitpid(pid, 0, 0);
    return 0;
}
