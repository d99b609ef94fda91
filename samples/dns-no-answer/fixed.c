/* Looks a name up with a name server of its own that answers. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

static struct sockaddr_in server = {.sin_family = AF_INET};

/* Takes one query and answers that there is no such name. */
static pid_t start_server(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof server;
    server.sin_port = htons(53);
    server.sin_addr.s_addr = inet_addr("127.0.0.153");
    if (bind(fd, (struct sockaddr *)&server, length) != 0) {
        server.sin_port = 0; /* port 53 takes root */
        bind(fd, (struct sockaddr *)&server, length);
        getsockname(fd, (struct sockaddr *)&server, &length);
    }
    pid_t pid = fork();
    if (pid == 0) {
        unsigned char packet[512];
        struct sockaddr_in client;
        length = sizeof client;
        ssize_t size = recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr *)&client, &length);
        packet[2] |= 0x80;
        packet[3] |= ns_r_nxdomain;
        sendto(fd, packet, (size_t)size, 0, (struct sockaddr *)&client, length);
        _exit(0);
    }
    close(fd);
    return pid;
}

int main(void)
{
    unsigned char answer[512];
    pid_t pid = start_server();
    res_init();
    _res.nscount = 1;
    _res.nsaddr_list[0] = server;
    _res.retrans = 1;
    _res.retry = 1;
    if (res_query("printer.example.org", ns_c_in, ns_t_a, answer, sizeof answer) < 0)
        printf("printer.example.org: %s\n", hstrerror(h_errno));
    waitpid(pid, NULL, 0);
    return 0;
}
