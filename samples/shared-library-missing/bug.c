/* flags: -L/srv/tracediag/stub -Wl,--no-as-needed -l:libreport.so.3 */
/* The library was there when the program was built, and is not where it runs. */
int main(void)
{
    return 0;
}
