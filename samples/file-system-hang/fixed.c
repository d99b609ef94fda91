/* The same; the server of the mount answers. */
#include "bug.c"
