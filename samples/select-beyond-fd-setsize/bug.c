/* flags: -D_FORTIFY_SOURCE=2 */
/* A server that keeps the low numbers free for its libraries, so its listener gets number 1024, and waits with select:
 * an fd_set has bits for 0 to 1023 only. Built as distributions build, it is stopped before it overwrites memory. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

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
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(listener, &readable);
    return select(listener + 1, &readable, NULL, NULL, &patience) < 0;
}
