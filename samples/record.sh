#!/bin/sh
# Records every program of one sample folder (bug.c, fixed.c, bug.py, ...) with strace, in a neutral place and environment.
#
#   samples/record.sh FOLDER [STRACE-OPTION...]
#
# NAME.c is compiled to /srv/tracediag/FOLDER/NAME and run there; NAME.py is run there by /usr/bin/python3. FOLDER gets
# NAME.strace (strace -f -ttt -T -yy) and NAME.f.strace (strace -f); the further options are given to both. A first line
# /* flags: ... */ in NAME.c holds further options for the compiler.
set -eu

folder=$(cd "$1" && pwd)
shift
place=/srv/tracediag/$(basename "$folder")
rm -rf "$place"
mkdir -p "$place"
for source in "$folder"/*.c "$folder"/*.py; do
    [ ! -e "$source" ] || cp "$source" "$place"
done
cd "$place"

# trace OUTPUT STRACE-OPTION... COMMAND: what the program exits with is its own affair.
trace() {
    output=$folder/$1
    shift
    env -i PATH=/usr/bin:/bin HOME=/srv/tracediag timeout 60 strace -o "$output" "$@" </dev/null >/dev/null 2>&1 ||
        echo "$output: exit status $?"
}

for source in *.c *.py; do
    [ -e "$source" ] || continue
    name=${source%.*}
    command=./$name
    case $source in
    *.c)
        flags=$(sed -n '1s|^/\* flags: \(.*\) \*/$|\1|p' "$source")
        gcc -std=gnu11 -Wall -Wextra -O1 -pthread -o "$name" "$source" $flags
        ;;
    *.py) command="/usr/bin/python3 -I -S -B $source" ;;
    esac
    # $command is one word or several, none of which holds a blank.
    trace "$name.strace" -f -ttt -T -yy "$@" $command
    trace "$name.f.strace" -f "$@" $command
done
