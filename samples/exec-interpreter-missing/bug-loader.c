/* flags: -Wl,--dynamic-linker=/lib/ld-linux.so.2 */
/* A program for a system whose loader lies elsewhere: 32-bit, or of another C library. */
int main(void)
{
    return 0;
}
