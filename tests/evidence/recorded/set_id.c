/* A helper that is installed set-user-ID root (helper), and a copy of it that is not (plain).
   As nobody: strace -o set_id.strace ./helper; set_id.words: ./helper x; set_id.plain: ./plain; set_id.mount: mount -t tmpfs none /mnt;
   as root: strace -u nobody -o set_id.kept.strace ./helper x */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <fcntl.h>
int main(int c, char **v) {
  if (c > 1) { if (geteuid()!=0) { fprintf(stderr, "%s: effective uid is not 0, is it installed setuid root?\n", v[0]); return 1; } }
  int fd = open("/etc/shadow", O_RDONLY);
  if (fd < 0) { fprintf(stderr, "%s: /etc/shadow: %s\n", v[0], strerror(errno)); return 2; }
  printf("read\n"); return 0; }
