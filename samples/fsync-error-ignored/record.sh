#!/bin/sh
# Records the programs of this folder, as root. They write to a disk that promises 32 MB of room and has none: a file
# system on a sparse image whose own file system is full, as a thin volume or a virtual machine's disk may be.
set -eu

disk=/srv/tracediag/thin-disk
back=/srv/tracediag/thin-back
mkdir -p "$disk" "$back"
mount -t tmpfs -o size=1200k none "$back"
truncate -s 32M "$back/image"
mkfs.ext4 -q -O ^has_journal -E nodiscard,lazy_itable_init=1 "$back/image"
device=$(losetup -f --show "$back/image")
mount -o nodelalloc "$device" "$disk"
trap 'umount "$disk"; losetup -d "$device"; umount "$back"; rmdir "$disk" "$back"' EXIT
dd if=/dev/zero of="$back/rest" bs=4k status=none 2>/dev/null || true # until it is full

"$(dirname "$0")/../record.sh" "$(dirname "$0")" "$@"
