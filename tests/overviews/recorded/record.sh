#!/bin/sh
# How the traces beside this file were recorded, with strace 6.1, in /srv/tracediag/summary, as root.
S="env -i PATH=/usr/bin:/bin HOME=/srv/tracediag strace"
gcc -O1 -pthread -o threads threads.c
$S -f -ttt -T -yy -s 64 -o shell.strace sh -c 'sleep 5 & true; (exit 3); cat /etc/hostname | tr a-z A-Z; kill -9 $!; wait $!; false' </dev/null >/dev/null 2>&1
$S -f -o plain.strace sh -c 'sleep 5 & kill $!; wait $!; exec true'
$S -ttt -T -o single.strace sh -c 'cat /etc/hostname; ls /nowhere; kill -TERM $$'
$S -f -ttt -T -yy -o threads.strace ./threads >/dev/null
$S -f ./threads 2>terminal.strace >/dev/null
cd ..
$S -f -v -s 256 -ttt -yy -o summary/handed.strace sh -c 'cd /tmp; exec 9</etc/hosts; LANG=C env -u HOME cat /dev/null; (cd /usr; ls >/dev/null); exec true' </dev/null >/dev/null 2>&1
