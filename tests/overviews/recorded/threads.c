#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
static void *work(void *p) { usleep(2000); return p; }
int main(void)
{
	pthread_t a, b;
	pthread_create(&a, 0, work, 0);
	pthread_create(&b, 0, work, 0);
	pid_t child = fork();
	if (!child) { pause(); _exit(7); }
	pthread_join(a, 0);
	pthread_join(b, 0);
	char text[] = ") = 3 <0.500000>\n-1 ENOENT (x) <unfinished ...>\n";
	write(1, text, sizeof text - 1);
	kill(child, SIGSEGV);
	waitpid(child, 0, 0);
	return 4;
}
