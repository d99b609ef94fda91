"""Recordings with numbers for constants are recognised, and their events have the names."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tracediag.reading import read
from tracediag.reading.naming import decide_naming
from tracediag.trace.events import Syscall
from tracediag.trace.records import Signal

NAMED = 'openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3'


def decides(*lines: str) -> Callable[[str, str], str] | None:
    return decide_naming(lines)


@pytest.mark.parametrize(
    "line",
    [
        NAMED,
        'execve("/bin/true", ["true"], 0x7ffe /* 38 vars */) = 0',
        "close(3) = 0",
        "fcntl(3, F_GETFD) = 0x1 (flags FD_CLOEXEC)",
        "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f60fca5b000",
        'write(1, "mmap(NULL, 8192, 0x3, 0x22", 26) = 26',
        "ioctl(3, _IOC(_IOC_READ, 0x54, 0x1, 0x4), 0x7ff) = 0",
    ],
)
def test_the_usual_form_is_left_alone(line: str) -> None:
    assert decides(line) is None


@pytest.mark.parametrize(
    "line",
    [
        'openat(-100, "/etc/passwd", 0x80000) = 3',
        "7 fcntl(3</srv>, 0x2, 0x1) = 0",
        "mmap(NULL, 8192, 0x3, 0x22, -1, 0) = 0x7f60fca5b000",
        "12:00:00 rt_sigaction(13, {sa_handler=0x1, sa_mask=[], sa_flags=0}, NULL, 8) = 0",
        "[pid 7] futex(0x7f60, 0x80, 2, NULL <unfinished ...>",
        "--- SIGSEGV {si_signo=11, si_code=0x1, si_addr=NULL} ---",
    ],
)
def test_one_line_with_numbers_is_enough(line: str) -> None:
    assert decides("close(3) = 0", line) is not None


def test_names_elsewhere_show_that_numbers_are_only_unknown_constants() -> None:
    assert decides(NAMED, "mmap(NULL, 8192, 0x40, 0x4000, -1, 0) = 0x7f60fca5b000") is None


def test_the_architecture_decides() -> None:
    lines = ('openat(-100, "/lib/mips64el-linux-gnuabi64/libc.so.6", 0x80000) = 3', "fcntl(3, 0x4, 0x80) = 0")
    naming = decides(*lines)
    assert naming is not None
    assert naming("fcntl", "3, 0x4, 0x80") == "3, F_SETFL, O_RDONLY|O_NONBLOCK"


def test_events_hold_names_and_show_what_was_recorded() -> None:
    line = "poll([{fd=3, events=0x1}], 1, -1) = 1 ([{fd=3, revents=0x11}])"
    call, signal = read([line, "--- SIGCHLD {si_signo=17, si_code=0x2, si_pid=9, si_status=9} ---"])
    assert isinstance(call, Syscall)
    assert (call.body, call.detail) == ("[{fd=3, events=POLLIN}], 1, -1", "[{fd=3, revents=POLLIN|POLLHUP}]")
    assert call.text == line
    assert isinstance(signal, Signal)
    assert signal.info == "si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=9, si_status=SIGKILL"


def test_remarks_name_both_halves() -> None:
    first = "1 waitid(0 /* P_ALL */, 0,  <unfinished ...>"
    rest = "1 <... waitid resumed>{si_code=0x1 /* CLD_EXITED */, si_pid=9}, 0x4 /* WEXITED */, NULL) = 0"
    *_, call = read(["2 close(4) = 0", first, "2 close(3) = 0", rest])
    assert isinstance(call, Syscall)
    assert call.body == "P_ALL, 0, {si_code=CLD_EXITED, si_pid=9}, WEXITED, NULL"
