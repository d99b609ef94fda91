/* The plugin is optional: without it the program goes on. */
#include <dlfcn.h>
#include <stdio.h>

int main(void)
{
    void *plugin = dlopen("libreport.so.3", RTLD_NOW);
    puts(plugin == NULL ? "plain text" : "report");
    return 0;
}
