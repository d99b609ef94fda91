# Tries a command that may fail, and ends well beside another.
# strace -f -Z -o trying.strace sh trying.sh
sleep 0.1 &
sh -c "echo a >/dev/full; exit 1"
wait
