/* A plugin that is not installed is loaded at run time. */
#include <dlfcn.h>
#include <stdio.h>

int main(void)
{
    if (dlopen("libreport.so.3", RTLD_NOW) == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    return 0;
}
