/* A service that looks for its settings in three places, finds them in none, and says little about it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    static const char *const places[] = {"/srv/tracediag/service.conf", "/usr/local/etc/service.conf", "/etc/service.conf"};
    for (size_t place = 0; place < sizeof places / sizeof *places; place++) {
        int fd = open(places[place], O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
            return 0;
    }
    fputs("service: no settings\n", stderr);
    return EXIT_FAILURE;
}
