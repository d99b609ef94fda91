/* The same server with poll, which takes any number. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
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
    struct pollfd watched = {.fd = listener, .events = POLLIN};
    return poll(&watched, 1, 100) < 0;
}
