/* The same, with a file for each process. */
#define FIXED
#include "bug-file.c"
