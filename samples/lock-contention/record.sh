#!/bin/sh
# Records the programs of this folder.
exec "$(dirname "$0")/../record.sh" "$(dirname "$0")" "$@"
