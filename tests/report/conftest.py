"""Hand-made findings with every element that a report can show."""

from __future__ import annotations

import pytest

from tracediag.results.findings import Absence, Confidence, Explained, Finding, Maturity, Severity, Step
from tracediag.results.report import Blind, Input, NotUnderstood, Report, Sample

KEPT = Finding(
    code="TD101",
    name="epipe-still-registered",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    title="a dead connection was left in the epoll set",
    object="fd 5 = TCP 127.0.0.1:37779 <- 127.0.0.1:43836",
    steps=(
        Step(
            line=1311,
            text='accept4(3, {sa_family=AF_INET, sin_port=htons(43836), sin_addr=inet_addr("127.0.0.1")}, [16], '
            "SOCK_CLOEXEC) = 5",
            note="fd 5 is born",
            time=1700000000.0,
        ),
        Step(
            line=1315,
            text="epoll_ctl(4, EPOLL_CTL_ADD, 5, {EPOLLIN, {u32=5, u64=5}}) = 0",
            note="epoll set 4 now watches it",
            time=1700000000.001724,
        ),
        Step(
            line=1324,
            text='sendto(5, "xxxxxxxxxx", 10, MSG_NOSIGNAL, NULL, 0) = -1 EPIPE (Broken pipe)',
            note="the write fails: the peer has closed; fd 5 should leave set 4 now",
            time=1700000000.052257,
            primary=True,
        ),
        Step(
            line=1329,
            text="epoll_wait(4, [{EPOLLIN|EPOLLHUP, {u32=5, u64=5}}], 128, -1) = 1",
            note="returns at once, each time, for the fd added at (2)",
            time=1700000000.052792,
            repeats=38,
            last_line=1366,
        ),
    ),
    absent=(Absence(text="no EPOLL_CTL_DEL or close of fd 5", first_line=1324, last_line=1374),),
    why="a level-triggered set reports EPOLLHUP for as long as the fd is registered: epoll(7)",
    fix="on EPIPE, ECONNRESET or EPOLLHUP: epoll_ctl(4, EPOLL_CTL_DEL, 5), then close(5)",
    explains=(Explained("write-after-peer-closed", 1324),),
    count=200,
)
"""With times, a gap, repeats, an absence, something explained and a count."""

BARE = Finding(
    code="TD304",
    name="use-after-close",
    severity=Severity.NOTE,
    confidence=Confidence.POSSIBLE,
    maturity=Maturity.PREVIEW,
    title="fd 7 is used after its close",
    object="fd 7",
    steps=(
        Step(line=8, text="close(7) = 0", note="thread 31 closes it", pid=31),
        Step(
            line=9,
            text='write(7, "[pid 7] [/tmp/x] \x1b[31m\udcff\u202e", 20) = -1 EBADF (Bad file descriptor)',
            note="thread 32 writes to it",
            pid=32,
            primary=True,
        ),
    ),
    why="the number is free after close: close(2)",
    fix="stop thread 32 before closing fd 7",
)
"""Without times, of two threads, with text that means harm."""

REPORT = Report(
    input=Input(
        path="run.strace",
        lines=1374,
        calls=1200,
        signals=2,
        exits=1,
        unparsed=NotUnderstood(2, (Sample(17, "garbage \x1b]0;title\x07"), Sample(18, "\udc80" + "x" * 200))),
    ),
    findings=(KEPT, BARE),
    blind=(
        Blind("send-without-nosignal", "the program's start"),
        Blind("blocking-fd-in-event-loop", "durations (-T)"),
        Blind("accept-error-ends-server", "the program's start"),
    ),
    advice="strace -f -ttt -T -yy -s 128 -o FILE COMMAND",
)


@pytest.fixture
def report() -> Report:
    return REPORT


@pytest.fixture
def empty() -> Report:
    return Report(input=Input(path="empty run.strace", lines=3, calls=3))


@pytest.fixture
def finding() -> Finding:
    return KEPT
