/* flags: -L/srv/tracediag/stub -Wl,--no-as-needed -Wl,-rpath,/srv/tracediag/stub -l:libreport.so.3 */
/* The program tells the loader where its library lies. */
int main(void)
{
    return 0;
}
