#!/bin/sh
# Records each case of fails.c, or those named, and its twin as NAME.strace and NAME.fine.strace: as root, in a new
# mount namespace.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ "${1:-}" = inside ] || exec unshare -m sh "$here/record.sh" inside "$@"
mkdir -p /srv/tracediag && cd /srv/tracediag
gcc -O1 -static -no-pie -w -o /srv/tracediag/fails.bin "$here/fails.c"
wanted="${2:-}"
cases="${wanted:-$(sed -n 's/.*CASE("\([a-z-]*\)").*/\1/p' "$here/fails.c")}"
ipcrm -M 0x1234 2>/dev/null || true
truncate -s 2M broken.img
export BROKEN="$(losetup -f --show broken.img)"
truncate -s 4096 broken.img
perl -e 'shmget(0x1234, 4096, 0600 | 01000)'
for case in $cases; do
    for twin in "" fine; do
        rm -rf work && mkdir -m 755 work && cd work
        cp ../fails.bin fails
        printf 'port=80\n' >service.conf; printf 'key\n' >private.key; chmod 600 private.key
        mkdir archive volume full frozen; : >archive/old.txt; : >upload.tmp
        ln -s circle2 circle; ln -s circle circle2; ln -s service.conf current
        printf 'echo hook\n' >hook; printf '#!/bin/sh\n:\n' >hook-with-line; chmod 755 hook hook-with-line
        mount -t tmpfs none volume; mount -t tmpfs -o size=4k none full; mount -t tmpfs -o ro none frozen
        mount -o remount,noexec volume; cp /bin/true volume/tool; exec 9<volume/tool
        truncate -s 3G huge
        head -c 4096 /dev/zero >full/fill 2>/dev/null || true
        perl -MSocket -e 'socket(S,AF_UNIX,SOCK_STREAM,0); bind(S,pack_sockaddr_un("stale.sock")); listen(S,1)'
        perl -MSocket -e 'socket(S,AF_UNIX,SOCK_STREAM,0); bind(S,pack_sockaddr_un("service.sock")); listen(S,1); sleep 60' & server=$!
        sleep 0.3; chmod 600 service.sock
        cp /bin/sleep tool; ./tool 60 & tool=$!
        sleep 0.1
        name=$case${twin:+.$twin}
        case $name in  # what cannot be made fail here
            device-denied) inject="-e inject=openat:error=EPERM" ;;
            no-locks-available) inject="-e inject=fcntl:error=ENOLCK" ;;
            own-signal-denied) inject="-e inject=tgkill:error=EPERM" ;;
            kernel-internal-errno) inject="-e inject=ioctl:error=524" ;;
            send-refused) inject="-e inject=sendto:error=EPERM" ;;
            quota-exceeded) inject="-e inject=mkdir:error=EDQUOT" ;;
            *) inject="" ;;
        esac
        (env -i PATH=/usr/bin:/bin HOME=/srv/tracediag BROKEN=$BROKEN strace $inject -f -o ../out ./fails $case $twin) >/dev/null 2>&1 || true
        sed -n '/getppid/,/exit_group/p' ../out | sed '1d;/exit_group/d;10,$d' >"$here/$name.strace"
        kill $server $tool; wait $server $tool 2>/dev/null || true
        exec 9<&-; chattr -i service.conf 2>/dev/null || true; umount -l volume full frozen archive 2>/dev/null || true; cd ..
    done
done
losetup -d "$BROKEN"
rm -rf work fails.bin out broken.img
