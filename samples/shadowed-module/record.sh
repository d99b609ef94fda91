#!/bin/sh
# Records the programs of this folder; those in Perl and Ruby with the calls that matter only.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
"$folder/../record.sh" "$folder" "$@"
cp -r "$folder/perl" "$folder/ruby" /srv/tracediag/shadowed-module

record() { # FOLDER OUTPUT COMMAND...
    cd "/srv/tracediag/shadowed-module/$1"
    output=$folder/$2
    shift 2
    env -i PATH=/usr/bin:/bin HOME=/srv/tracediag strace -f -ttt -T -yy -s 256 -e trace=execve,open,openat,write,exit_group \
        -o "$output" "$@" </dev/null >/dev/null 2>/srv/tracediag/messages || echo "$output: exit status $?"
}
record perl bug-perl.strace perl main.pl
record perl fixed-perl.strace perl fixed.pl
record ruby bug-ruby.strace ruby --disable-gems -I . main.rb
record ruby fixed-ruby.strace ruby --disable-gems main.rb
