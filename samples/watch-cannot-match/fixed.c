#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The child watches the directory of app.conf, and is told of the file that is moved there. */
static int reload_on_change(void)
{
    char events[4096];
    int fd = inotify_init1(IN_CLOEXEC);

    if (fd == -1 || inotify_add_watch(fd, ".", IN_MOVED_TO | IN_CLOSE_WRITE) == -1)
        return 2;
    while (read(fd, events, sizeof events) > 0)
        if (((struct inotify_event *)events)->mask & IN_MOVED_TO)
            return 0;
    return 3;
}

static void wait_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
}

int main(void)
{
    pid_t child;

    close(open("app.conf", O_WRONLY | O_CREAT, 0644));
    child = fork();
    if (child == 0)
        _exit(reload_on_change());
    wait_a_little();
    close(open("app.conf.new", O_WRONLY | O_CREAT, 0644));
    rename("app.conf.new", "app.conf");
    wait_a_little();
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    return unlink("app.conf") != 0;
}
