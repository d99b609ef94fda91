#!/bin/sh
# Records three samples with the stack of each call: NAME.strace is of ../NAME/bug.c, built with debug information and
# without optimisation, so that each of its functions is in the program.
# Takes what ../record.sh takes.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
for name in crashed event-after-close write-error-ignored; do
    mkdir "$scratch/stacks-$name"
    cp "$folder/../$name/bug.c" "$scratch/stacks-$name"
    CFLAGS="-g -O0" "$folder/../record.sh" "$scratch/stacks-$name" -k
    cp "$scratch/stacks-$name/bug.strace" "$folder/$name.strace"
done
