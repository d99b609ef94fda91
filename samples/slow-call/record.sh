#!/bin/sh
# Records the programs of this folder, all with -T; bug-disk.c with one fsync that strace delays by 4 s, and once without -T.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
"$folder/../record.sh" "$folder" -T "$@"
cd /srv/tracediag/slow-call
env -i PATH=/usr/bin:/bin HOME=/srv/tracediag strace -f -ttt -T -yy -e inject=fsync:delay_enter=4000000:when=4 \
    -o "$folder/bug-disk.strace" ./bug-disk </dev/null
env -i PATH=/usr/bin:/bin HOME=/srv/tracediag strace -f -T -e inject=fsync:delay_enter=4000000:when=4 \
    -o "$folder/bug-disk.f.strace" ./bug-disk </dev/null
env -i PATH=/usr/bin:/bin HOME=/srv/tracediag strace -f -ttt -yy -e inject=fsync:delay_enter=4000000:when=4 \
    -o "$folder/bug-times.strace" ./bug-disk </dev/null
