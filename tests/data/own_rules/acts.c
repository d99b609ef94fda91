/* What the rules of this folder are about, each once as they mean it and once as it should be. record.sh records it. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int is(const char *act, const char *name) { return strcmp(act, name) == 0; }

static void replace(int synced)
{
    int fd = open("settings.new", O_WRONLY | O_CREAT | O_TRUNC, 0640);
    write(fd, "colour = blue\n", 14);
    if (synced)
        fsync(fd);
    close(fd);
    rename("settings.new", "settings");
}

static void lookups(int times)
{
    struct stat found;
    for (int i = 0; i < times; i++)
        stat("/etc/acme/feature-flags", &found);
}

static void send_metric(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int failed = connect(fd, (struct sockaddr *)&to, sizeof to);
    if (failed == 0)
        write(fd, "requests 1\n", 11);
    close(fd);
}

/* A listener, so that the other case has a collector to talk to. */
static int collector(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bind(fd, (struct sockaddr *)&at, sizeof at);
    listen(fd, 1);
    return fd;
}

int main(int argc, char **argv)
{
    const char *act = argc > 1 ? argv[1] : "";
    if (is(act, "replace-unsynced") || is(act, "replace-synced"))
        replace(is(act, "replace-synced"));
    else if (is(act, "many-lookups") || is(act, "one-lookup"))
        lookups(is(act, "many-lookups") ? 12 : 1);
    else if (is(act, "mode-666") || is(act, "mode-640"))
        close(open("shared.log", O_WRONLY | O_CREAT | O_APPEND, is(act, "mode-666") ? 0666 : 0640));
    else if (is(act, "metric-refused"))
        send_metric(8125);
    else if (is(act, "metric-sent")) {
        int fd = collector(8125);
        send_metric(8125);
        close(fd);
    } else if (is(act, "sleep-60ms") || is(act, "sleep-1ms"))
        nanosleep(&(struct timespec){.tv_nsec = is(act, "sleep-60ms") ? 60000000 : 1000000}, NULL);
    else
        return 2;
    return 0;
}
