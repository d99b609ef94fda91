#!/bin/sh
# Records the programs of this folder with strace, in a neutral place and environment: NAME.strace (-f -ttt -T -yy) and
# NAME.f.strace (-f), without what the loader does before main.
set -eu

folder=$(cd "$(dirname "$0")" && pwd)
place=/srv/tracediag/kernel
rm -rf "$place"
mkdir -p "$place"
cp "$folder"/*.c "$folder"/*.py "$place"
cd "$place"

trace() {
    output=$1
    shift
    env -i PATH=/usr/bin:/bin HOME=/srv/tracediag timeout 60 strace -o "$folder/$output" "$@" </dev/null >/dev/null 2>&1 ||
        echo "$output: exit status $?"
}

for source in *.c; do
    name=${source%.c}
    gcc -std=gnu11 -static -O1 -o "$name" "$source" 2>&1 | grep -A3 error: || true
    trace "$name.strace" -f -ttt -T -yy "./$name"
    trace "$name.f.strace" -f "./$name"
done

calls=chdir,fchdir,getcwd,chroot,openat,write,clone,clone3,wait4,exit_group,execve
trace places.strace -f -e trace=$calls python3 -I -S places.py
trace places.y.strace -f -y -e trace=$calls python3 -I -S places.py
