#!/bin/sh
# Records the programs of this folder on a FUSE mount whose server (server/server.c) does not answer, or answers ENOENT.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
place=/srv/tracediag/file-system-hang
mkdir -p "$place/archive"
gcc -O1 -o "$place/server" "$folder/server/server.c"
cd "$place"

record() { # NAME ERRNO
    gcc -std=gnu11 -Wall -Wextra -O1 -o "$1" "$folder/$1.c"
    for form in strace f.strace; do
        options=-f
        [ $form = f.strace ] || options="-f -ttt -T -yy"
        ./server archive "$2" &
        server=$!
        sleep 0.3
        env -i PATH=/usr/bin:/bin HOME=/srv/tracediag timeout 20 strace $options -o "$folder/$1.$form" "./$1" </dev/null
        umount -f archive 2>/dev/null || umount -l archive
        kill $server 2>/dev/null || true
        wait $server || true
    done
}
record bug 0
record fixed 2

# strace is attached before the call, and the server ends by itself some seconds later.
gcc -std=gnu11 -Wall -Wextra -O1 -o attached "$folder/attached.c"
env -i PATH=/usr/bin:/bin HOME=/srv/tracediag setsid ./attached </dev/null >/dev/null 2>&1 &
attached=$!
sleep 0.5
./server archive 0 &
server=$!
tracediag run -p "$attached" --for 2800ms --keep "$folder/attached.strace" || true
wait $server || true
umount -f archive 2>/dev/null || umount -l archive
