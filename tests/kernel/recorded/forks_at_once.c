/* In a pid namespace four threads fork at the same moment; child N exits with status N. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>
static pthread_barrier_t gate;
static void *go(void *number) {
  pthread_barrier_wait(&gate);
  pid_t child = fork();
  if (!child) { usleep(20000); _exit((long)number); }
  int status;
  waitpid(child, &status, 0);
  return 0;
}
int main(void) {
  if (unshare(CLONE_NEWPID)) return 1;
  if (fork()) return wait(0) < 0;
  pthread_t threads[4];
  pthread_barrier_init(&gate, 0, 4);
  for (long n = 0; n < 4; n++) pthread_create(threads + n, 0, go, (void *)(n + 1));
  for (int n = 0; n < 4; n++) pthread_join(threads[n], 0);
  return 0;
}
