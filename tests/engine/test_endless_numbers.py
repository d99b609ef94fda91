"""Numbers of thousands of digits, which Python refuses to read, do no harm: a trace is untrusted input."""

from __future__ import annotations

import re

import pytest

from tracediag.api import analyze

ENDLESS = "9" * 5000
LINES = (
    "15231 02:57:18.593227 [ 44] sendto(0x8, 0x7f00c0000e60, 0x2e, 0, 0, 0) = 0x2e <0.000006>",
    "read(3</etc/x>, 0x5622b4ec8040, 18784) = 18783",
    "13708 1795421002.559482 +++ exited with 0 +++",
    "13708 +++ superseded by execve in pid 5 +++",
    "13708 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=13709, si_uid=0, si_status=0} ---",
    "13708 --- SIGPIPE {si_signo=SIGPIPE, si_code=SI_USER, si_pid=13708, si_uid=0} ---",
    "strace: Process 77 attached",
    "[ Process PID=7 runs in 32 bit mode. ]",
    "select(4, [3], NULL, NULL, NULL) = 1 (in [3])",
    'writev(1, [{iov_base="x", iov_len=1}], 1) = 1',
    'write(1, "x\\n", 2x\n)      = 2',
    "mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 3, 0) = 0x7f0000000000",
    "epoll_ctl(4, EPOLL_CTL_ADD, 5, {events=EPOLLIN, data={u32=5, u64=5}}) = 0",
    "wait4(7, [{WIFEXITED(s) && WEXITSTATUS(s) == 1}], 0, NULL) = 7",
    "close(3<TCP:[733882]>) = 0",
    "fcntl(3, F_DUPFD, 10) = 10",
)


@pytest.mark.parametrize("line", LINES)
def test_each_number_in_turn(line: str) -> None:
    for number in re.finditer(r"\d+", line):
        text = f"{line[: number.start()]}{ENDLESS}{line[number.end() :]}"
        report = analyze([f"{piece}\n" for piece in (*text.split("\n"), "close(3) = 0")])
        assert report.input.lines == text.count("\n") + 2
