#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* The result replaces app.conf when it is complete. */
int main(void)
{
    int fd = open("app.conf", O_WRONLY | O_CREAT | O_EXCL, 0644);

    if (fd == -1 || write(fd, "port 80\n", 8) != 8 || close(fd) == -1)
        return 2;
    if (system("sed s/80/8080/ app.conf > app.new && mv app.new app.conf") != 0)
        return 3;
    return unlink("app.conf") != 0;
}
