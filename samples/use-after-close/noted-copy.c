/* A server answers through a stdio stream. Its child closes the copy of the descriptor, drops the copy of the stream, with text in its buffer,
   and becomes another program: the write of that buffer fails with EBADF, and the server sends the answer itself. */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int ends[2];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
    FILE *answer = fdopen(ends[0], "w");
    fputs("250 ok\n", answer);
    if (fork() == 0) {
        close(ends[0]);
        fclose(answer);
        execl("/usr/bin/true", "true", NULL);
        _exit(127);
    }
    wait(NULL);
    fclose(answer);
    return 0;
}
