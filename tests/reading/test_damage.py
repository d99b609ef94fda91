"""Damage to a trace by people, mail programs and web pages."""

from __future__ import annotations

import pytest

from tracediag.reading import Reader
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.records import Signal


def events(*lines: str) -> list[Event]:
    reader = Reader(lines)
    found = list(reader)
    assert sum(reader.counts.kinds.values()) == len(lines)
    assert reader.counts.not_understood == 0, reader.counts.samples
    return found


@pytest.mark.parametrize(
    "line",
    [
        "close(3) = 0",
        "close(3)= 0",
        "close(3)                                = 0   ",
        "> close(3)                                = 0",
        "> > > close(3) = 0",
        ">> close(3) = 0",
        "\tclose(3) = 0",
        "    close(3) = 0",
        "// close(3) = 0",
        "# close(3) = 0",
        " * close(3) = 0",
        "close(3) = 0  <-- here it goes wrong",
        "close(3) = 0 <<<<< why?",
        "close(3) = 0 // note",
        "close(3) = 0             # note (of two words)",
        "close(3) = 0 ← note",
        "close(3)\u00a0\u00a0\u00a0= 0",
        "\x1b[33mclose\x1b[0m(\x1b[35m3\x1b[0m)\x1b[0m   \x1b[0m=\x1b[0m \x1b[32m0\x1b[0m",
        "<span>close(3) = 0</span>",
        "close(3) = 0</code></pre>",
        "close(3) = 0<br />",
        "close(3) =3D 0",
        "<Dragony> close(3) = 0",
        "17: close(3) = 0",
        "trace.log:17:close(3) = 0",
        "Sep 15 22:33:06 some.host strace[7068]: close(3) = 0",
        "close\\(3\\) = 0",
        "==> close(3) = 0 <== HERE",
        "--> close(3) = 0",
        ">>> close(3) = 0",
        "→ close(3) = 0",
        "!!! close(3) = 0",
        "close(3) = 0   # <--- HERE",
        "close(3) = 0  <---- this fails",
    ],
)
def test_one_call_however_it_was_posted(line: str) -> None:
    (call,) = events(line)
    assert isinstance(call, Syscall)
    assert (call.name, call.body, call.result, call.errno, call.duration) == ("close", "3", 0, None, None)


@pytest.mark.parametrize(
    ("line", "pid"),
    [
        ("pid  1318] close(3) = 0", 1318),
        ("403 [pid 21726] close(3) = 0", 21726),
        ("@@415@@ [pid 21726] close(3) = 0", 21726),
        ("ls: cannot access '/x'[pid 12074] close(3) = 0", 12074),
        ("> 755664 close(3) = 0", 755664),
    ],
)
def test_the_pid_survives(line: str, pid: int) -> None:
    (call,) = events(line)
    assert isinstance(call, Syscall)
    assert (call.pid, call.name, call.result) == (pid, "close", 0)


def test_html() -> None:
    found = events(
        "[pid 7] read(3, &lt;unfinished ...&gt;",
        "[pid 8] openat(AT_FDCWD, &quot;/x&quot;, O_RDONLY) = -1 ENOENT (No such file or directory)",
        "[pid 7] &lt;... read resumed&gt;&quot;a&quot;, 8) = 1",
    )
    assert [type(event) for event in found] == [Begun, Syscall, Syscall]
    assert [event.body for event in found[1:]] == ['AT_FDCWD, "/x", O_RDONLY', '3, "a", 8']  # type: ignore[attr-defined]


def test_a_trace_of_a_program_that_writes_html_is_left_alone() -> None:
    (call,) = events('write(1, "&quot;&lt;unfinished", 20) = 20')
    assert isinstance(call, Syscall)
    assert call.body == '1, "&quot;&lt;unfinished", 20'


def test_wrapped_lines() -> None:
    found = events(
        "io_uring_register(13, IORING_REGISTER_FILES, [-1, -1,",
        "8, 9, 10,",
        "-1, ...], 32768) = -1 EMFILE (Too many open files)",
        "connect(3, {sa_family=AF_INET, sin_port=htons(1032),",
        'sin_addr=inet_addr("127.0.0.1")}, 16) = -1 ECONNREFUSED (Connection',
        "refused)",
        "poll([{fd=3, events=POLLIN}, <unfini",
        "shed ...>",
        "mmap(NULL, 4096, PROT_READ|",
        "PROT_WRITE, 3, 0) = 0x7f00",
    )
    calls = [(event.name, event.body, event.errno, event.line) for event in found if isinstance(event, Syscall)]
    assert calls == [
        ("io_uring_register", "13, IORING_REGISTER_FILES, [-1, -1, 8, 9, 10, -1, ...], 32768", "EMFILE", 1),
        ("connect", '3, {sa_family=AF_INET, sin_port=htons(1032), sin_addr=inet_addr("127.0.0.1")}, 16',
         "ECONNREFUSED", 4),
        ("poll", "[{fd=3, events=POLLIN}", None, 7),
        ("mmap", "NULL, 4096, PROT_READ|PROT_WRITE, 3, 0", None, 9),
    ]  # fmt: skip


def test_quoted_and_split() -> None:
    found = events('> write(2, "KDS: no\\n", 8KDS: no', "> ) = 8", ">   read(0, ")
    assert [(event.name, event.result) for event in found if isinstance(event, Syscall)] == [
        ("write", 8),
        ("read", None),
    ]


def test_two_records_on_a_line() -> None:
    found = events('27222 close(3) = 0 27222 write(2, "_KDE", 4) = 4')
    assert [(event.name, event.pid, event.result) for event in found] == [  # type: ignore[attr-defined]
        ("close", 27222, 0), ("write", 27222, 4),
    ]  # fmt: skip


def test_a_string_truncated_by_hand() -> None:
    (call,) = events('sendto(11, "GET / HTTP/1.1\\r\\nConnection: clo, 2616, MSG_NOSIGNAL, NULL, 0) = 2616')
    assert isinstance(call, Syscall)
    assert (call.name, call.result) == ("sendto", 2616)


@pytest.mark.parametrize(
    ("line", "returned"),
    [("close(3)", True), ('19334 read(5, "", 1024)', True), ("read(0, ", False), ("wait4(-1,", False),
     ("flock(8, LOCK_EX", False), ("epoll_wait(", False)],
)  # fmt: skip
def test_the_end_was_left_out(line: str, returned: bool) -> None:
    call = events(line)[-1]
    assert isinstance(call, Syscall)
    assert (call.result, call.errno, call.tail, call.returned) == (None, None, "", returned)
    assert call.text.endswith(")" if returned else "<unfinished ...>")


def test_half_an_errno_is_none() -> None:
    (call,) = events("close(3) = -1 EBAD")
    assert isinstance(call, Syscall)
    assert (call.result, call.errno) == (-1, None)


def test_blank_lines_inside_a_call_and_records_after_it() -> None:
    found = events("read(0,", "", "--- SIGBUS {si_signo=SIGBUS, si_code=BUS_ADRERR, si_addr=0x7f} ---")
    assert isinstance(found[0], Begun)
    assert isinstance(found[2], Signal)
