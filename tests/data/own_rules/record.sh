#!/bin/sh
# Records the acts of this folder as root: sh record.sh DIR writes one trace for each into DIR.
set -e
here=$(cd "$(dirname "$0")" && pwd)
to=$(cd "$1" && pwd)
mkdir -p /srv/tracediag/own-rules
cd /srv/tracediag/own-rules
cc -std=gnu11 -Wall -Wextra -O1 -o acts "$here/acts.c"
for act in \
    replace-unsynced replace-synced many-lookups one-lookup mode-666 mode-640 \
    metric-refused metric-sent sleep-60ms sleep-1ms; do
    rm -f settings settings.new shared.log
    env -i PATH=/usr/bin:/bin HOME=/srv/tracediag strace -f -ttt -T -yy -o "$to/$act.strace" ./acts "$act"
done
rm -f acts settings settings.new shared.log
