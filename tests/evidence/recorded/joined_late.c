/* A worker thread ignores that mkdir fails. Its main thread joins it later, and only that line shows, where clone
   is not recorded, that the two pids are threads of one process. Then the worker needs the directory.
   cc -O1 -pthread -o joined_late joined_late.c && strace -f -ttt -e 'trace=!clone,clone3' -o joined_late.strace ./joined_late */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void *serve(void *unused) {
    mkdir("queue/incoming", 0755); /* the bug: queue is missing, and mkdir makes one directory only */
    usleep(100000);                /* the first job comes */
    int job = open("queue/incoming/1", O_WRONLY | O_CREAT, 0644);
    if (job < 0) {
        perror("joined_late: queue/incoming/1");
        exit(1);
    }
    return unused;
}

int main(void) {
    pthread_t worker;
    pthread_create(&worker, NULL, serve, NULL);
    usleep(30000);
    pthread_join(worker, NULL);
    return 0;
}
