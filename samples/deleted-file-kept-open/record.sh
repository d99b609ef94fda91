#!/bin/sh
# Records the programs of this folder; what a network file system answers is injected into one run of bug.c.
set -eu

folder=$(cd "$(dirname "$0")" && pwd)
"$folder/../record.sh" "$folder" "$@"
cd /srv/tracediag/deleted-file-kept-open
env -i PATH=/usr/bin:/bin strace -o "$folder/stale.f.strace" -f -e inject=write:error=ESTALE:when=4+ ./bug >/dev/null 2>&1 ||
    echo "stale: exit status $?"
