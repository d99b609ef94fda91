#!/bin/sh
# How database.*.strace were recorded, with strace 6.1, in /srv/tracediag/database: clients of PostgreSQL 15, MariaDB
# 10.11 and Redis 7.0 on 127.0.0.1, of which each is ended by timeout while it waits for the answer.
record() {
    env -i PATH=/usr/bin:/bin HOME=/nonexistent PGSSLMODE=disable PGGSSENCMODE=disable strace -f -ttt -o "database.$1.strace" \
        -e trace=execve,socket,connect,sendto,recvfrom,poll,pselect6 timeout "$2" $3 "$4" $5 </dev/null >/dev/null 2>&1
}
record psql 3 "psql -h 127.0.0.1 -U postgres postgres -c" "SELECT pg_sleep(100)"
record mariadb 3 "mariadb -h 127.0.0.1 -uu -ppw -e" "SELECT SLEEP(100)"
record blpop 3 "redis-cli BLPOP" jobs 0
record subscribe 3 "redis-cli SUBSCRIBE" news
pkill -x -STOP redis-server # it is busy with a script, say
record get 3 "redis-cli GET" cart:4711
record late 4 "redis-cli BLPOP" jobs 1
pkill -x -CONT redis-server
