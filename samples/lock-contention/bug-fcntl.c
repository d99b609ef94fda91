/* The same with a lock of fcntl, which each process takes more often and keeps for a shorter time. */
#define FCNTL
#define PAUSE 10000
#define ROUNDS 12
#include "bug-file.c"
