#!/bin/sh
# Records the programs of this folder. The delay stands for the time that fork takes in a process of many gigabytes.
exec "$(dirname "$0")/../record.sh" "$(dirname "$0")" -e inject=clone,fork,vfork,clone3:delay_enter=2000 "$@"
