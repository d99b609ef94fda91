#!/bin/sh
# Records a trace like the one that docs/performance.md speaks of, for those who lack it: about a million lines from find, Python
# start-ups, gcc, git and tar, by `strace -f -ttt -T -yy`. Usage: benchmarks/record.sh FILE
set -eu
out=$(readlink -f "${1:?the file to write}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/load.sh" <<'EOF'
printf 'int main(void) { return 0; }\n' >a.c
find /usr/share /usr/lib -name '*.so*' >/dev/null
for i in $(seq 60); do python3 -c 'import json, http.client, email, asyncio'; done
for i in $(seq 60); do gcc -O1 -o a a.c; done
git init -q g && cd g && for i in $(seq 60); do echo "$i" >f; git add f; git -c user.name=n -c user.email=e commit -qm "$i"; done
git gc -q; cd ..
tar cf a.tar /usr/share/doc /usr/include 2>/dev/null || true
EOF
cd "$work"
env -i PATH=/usr/bin:/bin HOME="$work" strace -f -ttt -T -yy -o "$out" sh load.sh
wc -l "$out"
