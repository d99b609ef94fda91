#!/bin/sh
# Records every program of one sample folder (bug.c, fixed.c, bug.py, ...) with strace, in a neutral place and environment.
#
#   samples/record.sh FOLDER [STRACE-OPTION...]
#
# NAME.c is compiled to /srv/tracediag/FOLDER/NAME and run there; NAME.py is run there by /usr/bin/python3. FOLDER gets
# NAME.strace (strace -f -ttt -T -yy) and NAME.f.strace (strace -f); the further options are given to both. A first line
# /* flags: ... */ in NAME.c holds further options for the compiler, and so does CFLAGS.
#
# Takes root: all of it runs in mount and UTS namespaces with a host name, /etc/hosts, /etc/hostname and
# /etc/resolv.conf of their own, so that a trace shows none of this machine's.
set -eu

if [ -z "${SAMPLE_ETC:-}" ]; then
    SAMPLE_ETC=$(mktemp -d)
    export SAMPLE_ETC
    trap 'rm -r "$SAMPLE_ETC"' EXIT
    echo host >"$SAMPLE_ETC/hostname"
    echo '127.0.0.1 localhost host' >"$SAMPLE_ETC/hosts"
    echo 'nameserver 192.0.2.53' >"$SAMPLE_ETC/resolv.conf" # RFC 5737: an address of no machine
    chmod -R a+rX "$SAMPLE_ETC"
    unshare --mount --uts "$0" "$@"
    exit
fi
hostname -F "$SAMPLE_ETC/hostname"
for file in "$SAMPLE_ETC"/*; do
    mount --bind "$file" "/etc/${file##*/}"
done

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
        gcc -std=gnu11 -Wall -Wextra -O1 -pthread ${CFLAGS:-} -o "$name" "$source" $flags
        ;;
    *.py) command="/usr/bin/python3 -I -S -B $source" ;;
    esac
    # $command is one word or several, none of which holds a blank.
    trace "$name.strace" -f -ttt -T -yy "$@" $command
    trace "$name.f.strace" -f "$@" $command
done
