#!/bin/sh
# Records each program of this folder after it hangs: strace is attached, and /proc/PID is kept beside the trace.
# The C programs are stripped. Takes root, gcc, perl, python3 and an installed tracediag: sh samples/attach/record.sh [NAME]...
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
place=/srv/tracediag/attach
mkdir -p "$place"
cp "$folder"/*.p[yl] "$place"
cd "$place"
rm -f queue

# record NAME WANTED TIME: run the program of this name, and attach to the process that WANTED names.
record() {
    [ ! -e "$folder/$1.c" ] || { gcc -O1 -s -pthread -o "$1" "$folder/$1.c" && run="./$1"; }
    [ -e "$folder/$1.c" ] || run="/usr/bin/python3 $1.py"
    env -i PATH=/usr/bin:/bin HOME=/srv/tracediag setsid $run </dev/null >/dev/null 2>&1 &
    group=$!
    sleep 2
    pid=$group
    [ -z "$2" ] || pid=$(pgrep -s "$group" -f "$2" | head -n 1)
    tracediag run -p "$pid" --for "$3" --keep "$folder/$1.strace" || true
    pkill -KILL -s "$group" || true
}

for name in ${*:-deadlock feeder first-ended lockpoll orphan unreaped}; do
    case $name in
    lockpoll) record lockpoll lockpoll.pl 1500ms ;;
    *) record "$name" "" 500ms ;;
    esac
done
