/* Waits for the word "quit" on standard input, and has not thought of its end. */
#include <string.h>
#include <unistd.h>

int main(void) {
    char line[64] = "";
    for (int turn = 0; turn < 200 && strncmp(line, "quit", 4) != 0; turn++) /* 200: for this recording only */
        if (read(0, line, sizeof line - 1) < 0)
            return 1;
    return 0;
}
