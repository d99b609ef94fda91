"""A flag is found among the arguments, and not in a path, in data, in a -y annotation or in a remark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracediag
from tracediag.parsing.calls import parser_for
from tracediag.trace.events import Syscall
from tracediag.trace.flags import flags_in, names_value
from tracediag.trace.values import names_of


def call(name: str, body: str) -> Syscall:
    return Syscall(line=1, name=name, body=body, parser=parser_for(name))


STANDS = [
    ("openat", 'AT_FDCWD, "state", O_WRONLY|O_CREAT|O_TRUNC, 0644', "O_CREAT"),
    ("openat", 'AT_FDCWD</srv/tracediag>, "state", O_WRONLY|O_CREAT, 0644', "AT_FDCWD"),
    ("openat2", '3</srv>, "x", {flags=O_RDWR|O_CREAT, mode=0600, resolve=0}, 24', "O_CREAT"),
    ("open", '"a \\"quoted\\" name", O_RDONLY|O_CLOEXEC', "O_CLOEXEC"),
    ("fcntl", "3</tmp/x>, 0x2 /* F_SETFD */, 0x1 /* FD_CLOEXEC */", "F_SETFD"),
    ("openat", '-100 /* AT_FDCWD */</tmp>, "x", 0x241 /* O_WRONLY|O_CREAT|O_TRUNC */, 0600', "O_CREAT"),
    ("socket", "0x2 /* AF_INET */, 0x1 /* SOCK_STREAM */|0x80800 /* SOCK_CLOEXEC|SOCK_NONBLOCK */, 0", "SOCK_CLOEXEC"),
    ("poll", "[{fd=3</tmp/a>, events=POLLIN}], 1, 0", "fd=3"),
    ("connect", '3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.1")}, 16', "htons(53)"),
    ("recvmsg", "3, {msg_name=NULL, msg_control=[{cmsg_type=SCM_RIGHTS, cmsg_data=[4]}]}, 0", "SCM_RIGHTS"),
]  # fmt: skip

HIDDEN = [
    ("openat", 'AT_FDCWD, "/srv/O_CREAT/x", O_RDONLY', "O_CREAT"),
    ("openat", 'AT_FDCWD</srv/O_CREAT>, "x", O_RDONLY', "O_CREAT"),
    ("openat", '-100 /* AT_FDCWD */</srv/O_CREAT>, "x", 0 /* O_RDONLY */', "O_CREAT"),
    ("epoll_ctl", "3, EPOLL_CTL_ADD, 4</tmp/EPOLLOUT>, {events=EPOLLIN, data={u32=4, u64=4}}", "EPOLLOUT"),
    ("sendto", '3, "send MSG_DONTWAIT now", 21, 0, NULL, 0', "MSG_DONTWAIT"),
    ("sendto", '3, "a \\" MSG_DONTWAIT", 16, 0, NULL, 0', "MSG_DONTWAIT"),
    ("sendto", '3, "cut off with the line MSG_DONTWAIT', "MSG_DONTWAIT"),
    ("sendmsg", '3, {msg_name=NULL, msg_iov=[{iov_base="SCM_RIGHTS", iov_len=10}]}, 0', "SCM_RIGHTS"),
    ("execve", '"/bin/true", ["true"], 0x7ffd /* 23 vars, O_CREAT */', "O_CREAT"),
    ("openat", 'AT_FDCWD, "x", O_WRONLY|O_CREATE_MAYBE', "O_CREAT"),
    ("openat", 'AT_FDCWD, "x", O_RDONLY|__O_SYNC', "O_SYNC"),
    ("poll", "[{fd=31, events=POLLIN}], 1, 0", "fd=3"),
    ("write", '1</dev/pts/0<char 136:0>>, "O_CREAT <", 9', "O_CREAT"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "flag"), STANDS)
def test_flag_among_the_arguments(name: str, body: str, flag: str) -> None:
    assert call(name, body).has(flag)


@pytest.mark.parametrize(("name", "body", "flag"), HIDDEN)
def test_same_letters_elsewhere(name: str, body: str, flag: str) -> None:
    assert flag in body
    assert not call(name, body).has(flag)


def test_flags_of_one_kind() -> None:
    body = "{flags=CLONE_VM|CLONE_INTO_CGROUP, exit_signal=SIGCHLD, cgroup=5</sys/fs/cgroup/CLONE_THREAD>}, 88"
    assert flags_in(body, "CLONE_") == {"CLONE_VM", "CLONE_INTO_CGROUP"}
    assert flags_in("child_stack=NULL, flags=0x11 /* CLONE_VM|SIGCHLD */", "CLONE_") == {"CLONE_VM"}


def test_a_number_has_the_names_that_are_added_to_it() -> None:
    made = call("openat", '-100 /* AT_FDCWD */, "x", 0x241 /* O_WRONLY|O_CREAT|O_TRUNC */, 0600')
    assert names_of(made.arg(2)) == {"O_WRONLY", "O_CREAT", "O_TRUNC"}
    assert names_of(made.arg("fd")) == {"AT_FDCWD"}
    assert not names_of(call("execve", '"/bin/true", ["true"], 0x7ffd /* 23 vars */').arg(2))
    assert not names_value("/* EPOLL_??? */")


@given(st.text(alphabet='O_CREAT"\\<>-/* |0x,(', max_size=60))
def test_any_text_is_searched(text: str) -> None:
    call("open", text).has("O_CREAT")


@pytest.mark.parametrize("piece", ["<", "3<", '"', "/*", "(", '"\\"', "3<a->", "0 /* A", "0 /* A */", "A|", "3<a"])
def test_the_longest_text_is_searched_once(piece: str) -> None:
    body = piece * (400_000 // len(piece)) + " O_CREAT"
    call("open", body).has("O_CREAT")  # quadratic time would take minutes here


RAW = re.compile(
    r'"[A-Z][A-Z0-9_]{2,}[^" ]*" (?:not )?in [\w.]*body\b|body\.(?:find|rfind|count|endswith)\("[, ]*[A-Z]{2}'
)


def test_no_flag_is_looked_for_in_the_raw_text() -> None:
    root = Path(tracediag.__file__).parent
    rooms = ("trace", "kernel", "evidence", "rules", "overviews")
    found = [
        f"{file.relative_to(root)}: {line.strip()}"
        for room in rooms
        for file in sorted((root / room).rglob("*.py"))
        for line in file.read_text().splitlines()
        if RAW.search(line)
    ]
    assert found == []
