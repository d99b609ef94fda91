"""Statements that clients sent to their databases: what is shown of them, and which ask the server to wait."""

import struct
from math import inf
from pathlib import Path

import pytest

from tracediag import analyze
from tracediag.evidence.statements import statement_of
from tracediag.snapshot import Held, Holder, Moment, ProcessState, Registered, Snapshot, SocketState, ThreadState, store

RECORDED = Path(__file__).parent / "recorded"
CONNECTED = (
    "7 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3",
    '7 connect(3, {sa_family=AF_INET, sin_port=htons(6379), sin_addr=inet_addr("10.0.0.1")}, 16) = 0',
)
POPS = r'7 sendto(3, "*3\r\n$5\r\nBLPOP\r\n$4\r\njobs\r\n$1\r\n0\r\n", 32, 0, NULL, 0) = 32'


def redis(*words):
    return f"*{len(words)}\r\n".encode() + b"".join(f"${len(word)}\r\n{word}\r\n".encode() for word in words)


def postgres(text, kind=b"Q", name=b""):
    body = name + text.encode() + b"\0"
    return kind + struct.pack(">I", len(body) + 4) + body


def mysql(text, attributes=b""):
    body = b"\3" + attributes + text.encode()
    return struct.pack("<I", len(body))[:3] + b"\0" + body


def waiting(*lines):
    return analyze([f"{line}\n" for line in lines]).waiting[0].reason


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (postgres("SELECT pg_sleep(100)"), "PostgreSQL: SELECT pg_sleep(100)"),
        (postgres("  /* shop:pay */ select *\n  from a;"), "PostgreSQL: /* shop:pay */ select * from a"),
        (
            postgres("SELECT a FROM b WHERE c = $1", b"P", b"s1\0") + b"B\0\0\0\5",
            "PostgreSQL: SELECT a FROM b WHERE c = $1",
        ),
        (mysql("SELECT SLEEP(100)"), "MySQL: SELECT SLEEP(100)"),
        (mysql("SELECT 1", b"\0\1"), "MySQL: SELECT 1"),
        (redis("get", "cart:4711"), "Redis GET cart:4711"),
        (redis("SET", "cart:4711", "a value that is not shown"), "Redis SET cart:4711"),
        (postgres("SELECT " + "a" * 100), "PostgreSQL: SELECT " + "a" * 52 + "…"),
    ],
)
def test_statements(data, named):
    assert statement_of(data).named == named


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (redis("AUTH", "hunter2"), "Redis AUTH"),
        (redis("HELLO", "3", "AUTH", "u", "hunter2"), "Redis HELLO"),
        (redis("CONFIG", "SET", "requirepass", "hunter2"), "Redis CONFIG"),
        (redis("ACL", "SETUSER", "u", ">hunter2"), "Redis ACL"),
        (postgres("ALTER USER bob PASSWORD 'hunter2'"), "PostgreSQL: ALTER USER bob PASSWORD …"),
        (mysql("CREATE USER u IDENTIFIED BY 'hunter2'"), "MySQL: CREATE USER u IDENTIFIED …"),
        (postgres("SELECT crypt('hunter2', gen_salt('bf'))"), "PostgreSQL: SELECT crypt …"),
        (postgres("UPDATE u SET pwd = 'hunter2'"), "PostgreSQL: UPDATE u SET pwd …"),
    ],
)
def test_passwords_are_not_shown(data, named):
    statement = statement_of(data)
    assert statement.named == named
    assert "hunter2" not in repr(statement)


def test_no_statement():
    password = b"p\0\0\0\14hunter2\0"  # PasswordMessage
    for data in (
        b"",
        b"*",
        b"*1\r\n",
        password,
        b"Q\0\0\0\5\0",
        b"\1\0\0\0\3",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\3\1\2\0\1\0",
    ):
        assert statement_of(data) is None
    for data in (postgres("SELECT 1"), mysql("SELECT 1"), redis("BLPOP", "jobs", "0")):
        for size in range(len(data)):
            statement_of(data[:size], shortened=True)


@pytest.mark.parametrize(
    ("words", "until", "longest"),
    [
        (("BLPOP", "jobs", "0"), "another client pushes to jobs", inf),
        (("BRPOP", "jobs", "mails", "2.5"), "another client pushes to jobs and mails", 2.5),
        (("BLMOVE", "jobs", "busy", "LEFT", "RIGHT", "5"), "another client pushes to jobs", 5),
        (("BLMPOP", "3", "2", "a", "b", "LEFT"), "another client pushes to a and b", 3),
        (("BZPOPMIN", "a", "b", "c", "d", "0"), "another client adds to a, b, c and others", inf),
        (
            ("XREAD", "COUNT", "2", "BLOCK", "1500", "STREAMS", "e", "f", "$", "$"),
            "another client adds an entry to e and f",
            1.5,
        ),
        (
            ("XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "e", ">"),
            "another client adds an entry to e",
            inf,
        ),
        (("XREAD", "STREAMS", "e", "0"), "", None),
        (("WAIT", "1", "500"), "the replicas have the data", 0.5),
        (("LPOP", "jobs"), "", None),
    ],
)
def test_commands_that_ask_to_wait(words, until, longest):
    statement = statement_of(redis(*words))
    assert (statement.until, statement.longest) == (until, longest)


def test_of_a_cut_command_the_timeout_is_unknown():
    cut = statement_of(redis("BLPOP", "jobs", "mails", "5")[:32], shortened=True)
    assert (cut.text, cut.until, cut.longest) == ("BLPOP jobs…", "another client pushes to jobs", None)
    cut = statement_of(redis("XREADGROUP", "GROUP", "g", "c", "BLOCK", "0")[:40], shortened=True)
    assert (cut.until, cut.longest) == ("another client adds an entry to the key", None)


@pytest.mark.parametrize(
    ("name", "stood"),
    [
        ("psql", "sends nothing after the request at line 11 (PostgreSQL: SELECT pg_sleep(100))"),
        ("mariadb", "sends nothing after the request at line 13 (MySQL: SELECT SLEEP(100))"),
        ("get", "sends nothing after the request at line 7 (Redis GET cart:4711)"),
        ("blpop", "to answer BLPOP jobs 0 (line 7), which waits until another client pushes to jobs"),
        ("late", "to answer BLPOP jobs 1 (line 7), which waits until another client pushes to jobs, for at most 1 s"),
        ("subscribe", "it waits for messages of the channel news (PUBLISH), as it asked for at line 7: SUBSCRIBE news"),
    ],
)
def test_where_the_client_stood(name, stood):
    report = analyze(str(RECORDED / f"database.{name}.strace"))
    assert report.ending[0].stood.endswith(stood)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("psql", "127.0.0.1:5432 does not answer the statement SELECT pg_sleep(100)"),
        ("mariadb", "127.0.0.1:3306 does not answer the statement SELECT SLEEP(100)"),
        ("get", "127.0.0.1:6379 does not answer the command GET cart:4711"),
        ("late", "127.0.0.1:6379 does not answer the command BLPOP jobs 1"),  # the timeout is long over
        ("blpop", None),
        ("subscribe", None),
    ],
)
def test_the_finding_names_the_statement(name, title):
    findings = analyze(str(RECORDED / f"database.{name}.strace"), select=["peer-not-responding"]).findings
    assert [finding.title for finding in findings] == ([] if title is None else [title])
    asks = {"psql": "pg_stat_activity", "mariadb": "SHOW FULL PROCESSLIST"}
    assert all(asks.get(name, "strace -p") in finding.fix for finding in findings)


def test_a_notification():
    listen = r'7 sendto(3, "Q\0\0\0\20LISTEN jobs\0", 17, MSG_NOSIGNAL, NULL, 0) = 17'
    done = r'7 recvfrom(3, "C\0\0\0\vLISTEN\0Z\0\0\0\5I", 16384, 0, NULL, NULL) = 18'
    said = "it waits for a notification on jobs (NOTIFY), as it asked for at line 3: LISTEN jobs"
    assert waiting(*CONNECTED, listen, done, "7 pselect6(4, [3], NULL, NULL, NULL, NULL") == said
    assert waiting(*CONNECTED, listen, "7 recvfrom(3, ").endswith("(PostgreSQL: LISTEN jobs)")


def test_the_patience_of_the_client_is_told():
    said = waiting(*CONNECTED, POPS, "7 poll([{fd=3, events=POLLIN}], 1, 5000")
    assert said.endswith("another client pushes to jobs; the program waits for at most 5 s")


def test_an_epoll_set_with_one_connection_that_owes_an_answer():
    asked = [line.replace("(3, ", "(6, ") for line in (*CONNECTED, POPS)]
    asked[0] = asked[0].replace("= 3", "= 6")
    made = ("7 epoll_create1(EPOLL_CLOEXEC) = 3", "7 eventfd2(0, EFD_NONBLOCK) = 4")
    added = [f"7 epoll_ctl(3, EPOLL_CTL_ADD, {fd}, {{events=EPOLLIN, data={{u64={fd}}}}}) = 0" for fd in (4, 6)]
    said = waiting(*made, asked[0], asked[1], *added, asked[2], "7 epoll_wait(3, ")
    assert said == (
        "it waits until a descriptor of the epoll set is ready; on fd 6 it waits for Redis at 10.0.0.1:6379 to answer"
        " BLPOP jobs 0 (line 7), which waits until another client pushes to jobs"
    )


LISTENS = SocketState(11, "TCP", "0.0.0.0:6379", "", "LISTEN")
IDLE = ThreadState(8, state="S", call="epoll_wait", arguments=(5, 0, 1, 0, 0, 0))
STOPPED = ThreadState(8, state="T")
SET = (Held(5, "anon_inode:[eventpoll]", epoll=(Registered(6, 1, 6),)), Held(6, "socket:[11]"), Held(7, "socket:[10]"))


def with_proc(path, target, lines, serving):
    """Return why a read of fd 3 waits, with a look at /proc that shows the thread of the server."""
    thread = ThreadState(7, state="S", call="read", arguments=(3, 0, 1, 0, 0, 0))
    process = ProcessState(7, executable="/bin/a", threads=(thread,), descriptors=(Held(3, target),))
    server = ProcessState(8, executable="/bin/redis-server", threads=(serving,), descriptors=SET)
    ends = ("10.0.0.2:4000", "10.0.0.1:6379")
    pair = (SocketState(9, "TCP", *ends, "ESTABLISHED"), SocketState(10, "TCP", *reversed(ends), "ESTABLISHED"))
    moment = Moment(1.0, (process, server), (*pair, LISTENS), holders=(Holder(8, 7, "socket:[10]"),))
    path.write_text("".join(f"{line}\n" for line in (*lines, "7 read(3, ")))
    store(Snapshot(after=moment, traced=(7,)), str(path))
    return analyze(str(path)).waiting[0].reason


def test_with_a_look_at_proc_what_was_asked_leads(tmp_path):
    path = tmp_path / "a.strace"
    get = r'7 sendto(3, "*2\r\n$3\r\nGET\r\n$4\r\ncart\r\n", 22, 0, NULL, 0) = 22'
    data = "it waits for data from 10.0.0.1:6379, which redis-server (pid 8) has open"
    assert with_proc(path, "socket:[9]", CONNECTED, IDLE).startswith(data)
    said = with_proc(path, "socket:[9]", (*CONNECTED, get), IDLE)
    assert said.startswith(f"the request at line 3 has no answer (Redis GET cart): {data}")
    assert with_proc(path, "socket:[9]", (*CONNECTED, POPS), IDLE) == (
        "it waits for Redis at 10.0.0.1:6379 to answer BLPOP jobs 0 (line 3),"
        " which waits until another client pushes to jobs"
    )
    asked = ('7 openat(AT_FDCWD, "/dev/tty", O_RDWR) = 3', '7 write(3, "Password: ", 10) = 10')
    assert with_proc(path, "/dev/pts/4", asked, IDLE) == (
        'it waits for an answer on the terminal to "Password: " (line 2): input on the terminal /dev/pts/4'
    )


def test_a_server_that_is_stopped_is_told_although_it_was_asked_to_wait(tmp_path):
    said = with_proc(tmp_path / "a.strace", "socket:[9]", (*CONNECTED, POPS), STOPPED)
    assert said.startswith("the request at line 3 has no answer (Redis BLPOP jobs 0): it waits for data from")
    assert "redis-server (pid 8) is stopped" in said
