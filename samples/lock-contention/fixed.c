/* The same, with one lock for each part of the table. */
#define FIXED
#include "bug.c"
