# The child of lockpoll.py.
use Fcntl;
my $lock = pack("s s x![q] q q i x4", F_WRLCK, 0, 0, 0, 0);
while (1) {
    open(my $file, "+<", "lock-frontend") or die;
    last if fcntl($file, F_SETLK, my $asked = $lock);
    fcntl($file, F_GETLK, $asked = $lock);
    close($file);
    sleep 1;
}
