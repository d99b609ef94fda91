#define FIXED
#include "bug.c"
