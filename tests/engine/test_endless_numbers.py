"""Numbers of thousands of digits, which Python refuses to convert, do no harm: a trace is untrusted input."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from tracediag.api import analyze, read
from tracediag.overviews import VIEWS, summarise
from tracediag.overviews.descent.tree import grow_tree

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
    '1 1700000000.000001 read(3, "", 1) = 0 <0.000001>',
    "1 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x7f} ---",
    "1 pidfd_getfd(3<pid:77>, 5, 0) = 6",
    "1 pidfd_send_signal(3<pid:77>, SIGSEGV, NULL, 0) = 0",
    "1 close(3<anon_inode:[pidfd]>) = -1 (errno 9)",
    "1 mmap(NULL, ((1<<9)<<9)*8, PROT_READ, MAP_PRIVATE, 3, 0) = 0x7f00",
    "1 read(3, &quot;&#38;&#x26;&quot;, 1) = 1",
    "1 poll([{fd=3, events=POLLIN}], 1, 0) = 0 (Timeout)",
    "fcntl(3, F_DUPFD, 10) = 10",
)


def lines_with(text: str) -> list[str]:
    return [f"{piece}\n" for piece in (*text.split("\n"), "1 +++ killed by SIGSEGV +++", "1 close(3) = 0")]


@pytest.mark.parametrize("digits", [ENDLESS, "9" * 310, "\u0663"])
@pytest.mark.parametrize("line", LINES)
def test_each_number_in_turn(line: str, digits: str, tmp_path: Path) -> None:
    for number in re.finditer(r"\d+", line):
        text = f"{line[: number.start()]}{digits}{line[number.end() :]}"
        report = analyze(lines_with(text))
        assert report.input.lines == text.count("\n") + 3
        trace = tmp_path / "trace"
        trace.write_text("".join(lines_with(text)))
        for view in VIEWS:
            assert msgspec.json.encode(summarise(str(trace), view))
        assert msgspec.json.encode(grow_tree(str(trace)))


@pytest.mark.parametrize("digits", ["9" * 310, ENDLESS])
def test_a_duration_is_finite_or_unknown(digits: str) -> None:
    lines = [f'1 1700000000.000001 read(3, "", 1) = 0 <{digits}>\n', "1 1700000000.000002 close(3) = 0 <0.1>\n"]
    events = list(read(lines))
    assert [getattr(event, "duration", 0) for event in events] == [None, 0.1]
