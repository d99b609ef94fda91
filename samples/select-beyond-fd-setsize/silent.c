/* The same server without the check of the C library: FD_SET writes into what lies behind the set. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

static struct {
    fd_set readable;
    unsigned long connections; /* FD_SET(1024) makes it 1 */
} server;

int main(void)
{
    struct rlimit limit = {4096, 4096};
    setrlimit(RLIMIT_NOFILE, &limit);
    int low = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int listener = fcntl(low, F_DUPFD_CLOEXEC, 1024);
    close(low);
    if (listener < 0 || listen(listener, 16) != 0)
        return 1;
    struct timeval patience = {0, 100000};
    FD_ZERO(&server.readable);
    FD_SET(listener, &server.readable);
    return select(listener + 1, &server.readable, NULL, NULL, &patience) < 0;
}
