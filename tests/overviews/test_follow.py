"""`follow` on recorded traces: the life of a descriptor, pipe, path, peer and process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.overviews.following.finder import NoSuchObjectError
from tracediag.overviews.following.life import follow
from tracediag.overviews.following.wanted import AskingError, parse_asked
from tracediag.report.base import Look
from tracediag.report.following import picture, stream

SAMPLES = Path(__file__).parents[2] / "samples"
ACCEPT_ONCE = str(SAMPLES / "epollserver" / "accept-once.strace")
RECORDED = Path(__file__).parent / "recorded"

FORKED = """\
7 pipe([3, 4]) = 0
7 clone(child_stack=NULL, flags=SIGCHLD) = 8
7 close(4) = 0
8 dup2(4, 1) = 1
8 close(4) = 0
8 close(3) = 0
8 execve("/bin/echo", ["echo"], 0x1 /* 2 vars */) = 0
8 write(1, "hello\\n", 6) = 6
8 exit_group(0) = ?
7 read(3, "hello\\n", 64) = 6
8 +++ exited with 0 +++
7 read(3, "", 64) = 0
7 close(3) = 0
7 pipe([3, 4]) = 0
7 exit_group(0) = ?
7 +++ exited with 0 +++
"""
PASSED = """\
7 socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0
7 openat(AT_FDCWD, "/etc/x", O_RDONLY) = 5
7 clone(child_stack=NULL, flags=SIGCHLD) = 8
7 sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="x", iov_len=1}], msg_iovlen=1, \
msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[5]}], msg_controllen=24, \
msg_flags=0}, 0) = 1
8 close(5) = 0
8 recvmsg(4, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="x", iov_len=1}], msg_iovlen=1, \
msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[9]}], msg_controllen=24, \
msg_flags=0}, 0) = 1
8 read(9, "abc", 64) = 3
"""


@pytest.fixture
def life(tmp_path):
    def of(text, asked, **options):
        path = tmp_path / "trace"
        path.write_text(text)
        return follow(str(path), asked, **options)

    return of


def notes(found):
    return [(each.line, each.end, each.note) for each in found.happenings]


@pytest.mark.parametrize("asked", ["fd 9@784", "peer 127.0.0.1:40906", "path /srv/tracediag/access.log", "pipe 5@763"])
def test_pictures(asked, snapshot, monkeypatch):
    monkeypatch.chdir(Path(ACCEPT_ONCE).parent)
    assert picture(follow("accept-once.strace", asked, limit=12), Look()) == snapshot
    narrow = picture(follow("accept-once.strace", asked), Look(width=80))
    assert all(len(line) <= 80 for line in narrow.splitlines()[2:])


def test_a_process(snapshot):
    path = str(RECORDED / "shell.strace")
    assert picture(follow(path, "pid 13803"), Look()) == snapshot


def test_a_pipe_across_fork_dup_and_execve(life):
    assert notes(life(FORKED, "fd 3@1")) == [
        (1, "A", "creates fd 3"),
        (1, "B", "creates fd 4"),
        (2, "A", "pid 8 inherits fd 3"),
        (2, "B", "pid 8 inherits fd 4"),
        (3, "B", "closes fd 4"),
        (4, "B", "copies it to fd 1"),
        (5, "B", "closes fd 4"),
        (6, "A", "closes fd 3"),
        (7, "B", "fd 1 stays open in the new program"),
        (8, "B", "fd 1 > 6 bytes"),
        (10, "A", "fd 3 < 6 bytes"),
        (11, "B", "closes fd 1: the process ends, the last one"),
        (12, "A", "fd 3"),
        (13, "A", "closes fd 3, the last one"),
    ]


def test_any_number_and_line_of_the_same_object_give_the_same_life(life):
    first = notes(life(FORKED, "fd 3@1"))
    for asked in ("pipe 1@8", "pipe 4@3", "fd 3@12", "fd 3@13"):
        assert sorted(note for *_, note in notes(life(FORKED, asked))) == sorted(note for *_, note in first)
    assert notes(life(FORKED, "fd 3@14"))[0] == (14, "A", "creates fd 3")  # the number again, another pipe


def test_a_descriptor_passed_by_a_message(life):
    found = notes(life(PASSED, "fd 9@7"))
    assert [note for *_, note in found] == [
        "creates fd 5",
        "pid 8 inherits fd 5",
        "passes fd 5",
        "closes fd 5",
        "receives it as fd 9",
        "fd 9 < 3 bytes",
    ]


def test_a_path_that_only_failing_calls_name(life):
    text = 'chdir("/etc") = 0\nopen("x", O_RDONLY) = -1 ENOENT (No such file or directory)\n'
    assert notes(life(text, "path /etc/x")) == [(2, "", "fails with ENOENT")]


def test_what_a_process_changes_of_itself_is_named(life):
    text = '7 chdir("/etc") = 0\n7 setuid(5) = 0\n7 setsid() = 7\n7 unshare(CLONE_NEWNS) = 0\n'
    changed = ["its working directory", "its user", "its session", "its namespaces"]
    assert [note for *_, note in notes(life(text, "pid 7"))] == [f"changes {each}" for each in changed]


def test_like_happenings_in_a_row_are_one(life):
    text = 'open("/x", O_RDWR|O_NONBLOCK) = 3\n' + "read(3, 0x1, 8) = -1 EAGAIN (x)\n" * 5 + 'read(3, "a", 8) = 1\n'
    repeated = life(text, "fd 3@1").happenings[1]
    assert (repeated.line, repeated.repeats, repeated.last_line) == (2, 5, 6)


def test_a_limit_keeps_the_first_and_the_last(life):
    text = 'open("/x", O_RDWR) = 3\n' + "".join(f'write(3, "{number}", 1) = 1\n' for number in range(8))
    found = life(text, "fd 3@1", limit=4)
    assert ([each.line for each in found.happenings], found.left_out) == ([1, 2, 8, 9], 5)
    assert "… 5 more: --limit 0 shows all" in picture(found, Look())


def test_bytes_in_order_with_gaps(life):
    text = (
        "socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0\n"
        'write(3, "question\\n"..., 20) = 20\n'
        'read(4, "question\\n"..., 64) = 20\n'
        'writev(4, [{iov_base="ab", iov_len=2}, {iov_base="c"..., iov_len=5}, {iov_base="rest", iov_len=4}], 3) = 9\n'
        'read(3, "ab"..., 64) = 9\n'
    )
    assert stream(life(text, "fd 3@1", data=True), Look()) == (
        "A -> B   line 2   20 bytes, 11 not shown\n"
        "  question\n"
        "  [… 11 bytes not shown: strace cut the string; record with a larger -s]\n"
        "B -> A   line 4   9 bytes, 4 not shown\n"
        "  abc[… 4 bytes not shown: strace cut the string; record with a larger -s]\n"
        "  re\n"
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("fd 9@1", "no fd 9 is open at line 1 in pid 7; open there: 3, 4"),
        ("fd 3", "fd 3 is several things in this trace: 'fd 3@1', 'fd 3@14'"),
        ("fd 4@13", "no fd 4 is open at line 13 in pid 7; open there: none; it is created at line 14"),
        ("fd 3@99", "the trace has 16 lines: there is no line 99"),
        ("pid 9", "the trace shows no process 9; it has 7, 8"),
        ("path /etc/passwd", "the trace shows no path /etc/passwd"),
        ("peer 10.0.0.1:80", "the trace shows no peer 10.0.0.1:80"),
    ],
)
def test_what_is_not_there(life, asked, message):
    with pytest.raises(NoSuchObjectError) as error:
        life(FORKED, asked)
    assert str(error.value) == message


def test_a_pipe_must_be_one(life):
    with pytest.raises(NoSuchObjectError, match="is a file, not a pipe"):
        life('open("/x", O_RDONLY) = 3\n', "pipe 3@1")


@pytest.mark.parametrize("text", ["", "fd", "fd x", "fd 7@", "socket 7@3", "pid 12@3x", "path", "fd 7 976"])
def test_what_is_no_object(text):
    with pytest.raises(AskingError):
        parse_asked(text)


@pytest.mark.parametrize("text", ["fd 7@1,976", "pipe 5@12", "path /a b", "peer [::1]:80", "pid 12"])
def test_objects(text):
    assert str(parse_asked(f" {text} ")) == text.replace(",", "")


def test_a_trace_from_a_pipe(monkeypatch):
    with open(ACCEPT_ONCE) as stdin:  # noqa: PTH123
        monkeypatch.setattr("sys.stdin", stdin)
        assert notes(follow("-", "fd 9@784")) == notes(follow(ACCEPT_ONCE, "fd 9@784"))
