#!/bin/sh
# Records deadlock.c, stripped, after it hangs: strace is attached, and /proc/PID is kept beside the trace.
# Takes root, gcc and an installed tracediag: sh samples/attach/record.sh
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
place=/srv/tracediag/attach
mkdir -p "$place"
gcc -O1 -s -pthread -o "$place/deadlock" "$folder/deadlock.c"
cd "$place"
env -i PATH=/usr/bin:/bin HOME=/srv/tracediag setsid ./deadlock </dev/null >/dev/null 2>&1 &
sleep 1
tracediag run -p deadlock --for 500ms --keep "$folder/deadlock.strace" || true
kill "$(cat /proc/[0-9]*/stat | sed -n 's/^\([0-9]*\) (deadlock).*/\1/p')"
