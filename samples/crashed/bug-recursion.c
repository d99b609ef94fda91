/* The directory tree is walked by recursion, and a node that points to itself never ends it. */
#include <stdio.h>
#include <string.h>

struct node {
    const char *name;
    struct node *parent;
};

static size_t depth(struct node *node)
{
    char path[4096];
    if (node == NULL)
        return 0;
    snprintf(path, sizeof path, "%s", node->name);
    return depth(node->parent) + strlen(path);
}

int main(void)
{
    struct node root = {"root", &root};
    printf("%zu\n", depth(&root));
    return 0;
}
