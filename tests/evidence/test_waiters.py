"""A call at the end of a recording has not been seen to block, unless something shows that time went by."""

from __future__ import annotations

import pytest

from tracediag.api import analyze
from tracediag.engine import Engine
from tracediag.evidence.waiters import lasts
from tracediag.reading import read
from tracediag.trace.events import Syscall

CALL = "71 {}recvfrom(3,  <{} ...>\n"


def _lasts(*lines: str, seconds: float = 0.1) -> bool:
    engine = Engine([], lines=lambda: len(lines))
    events = [event for event in read(list(lines)) if not list(engine.feed((event,)))]
    call = next(event for event in events if isinstance(event, Syscall) and not event.returned)
    return lasts(call, engine.kernel, seconds)


@pytest.mark.parametrize("mark", ["unfinished", "detached"])
def test_the_last_call_has_not_been_seen_to_last(mark: str) -> None:
    assert not _lasts("72 getpid() = 2\n", CALL.format("", mark))
    assert not _lasts("72 1795820043.500000 getpid() = 2\n", CALL.format("1795820043.600000 ", mark))


def test_the_times_of_other_threads_show_how_long_it_lasts() -> None:
    call = CALL.format("1795820043.500000 ", "detached")
    assert _lasts(call, "72 1795820043.610000 getpid() = 2\n")
    assert not _lasts(call, "72 1795820043.590000 getpid() = 2\n")


def test_without_times_a_sleep_or_many_calls_of_others_show_it() -> None:
    call = CALL.format("", "unfinished")
    nap = "72 clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=0, tv_nsec=50000000}, NULL) = 0\n"
    assert _lasts(call, nap)
    assert not _lasts(call, nap.replace("50000000", "1000000"))
    assert not _lasts(nap, call)
    assert not _lasts(call, *["72 getpid() = 2\n"] * 20)
    assert _lasts(call, *["72 getpid() = 2\n"] * 200)


@pytest.mark.parametrize(
    ("end", "cut"),
    [
        ("read(3,  <unfinished ...>\n", False),
        ("read(3,  <detached ...>\n", True),
        ("read(3, ^Cstrace: Process 7 detached\n <detached ...>\n", True),
        ("read(3 <unfinished ...>\n7 <... read resumed> <detached ...>\n", True),
    ],
)
def test_a_record_that_breaks_off_is_told_apart(end: str, cut: bool) -> None:
    events = list(read(["7 getpid() = 7\n", *f"7 {end}".splitlines(keepends=True)]))
    (call,) = [event for event in events if isinstance(event, Syscall) and not event.returned]
    assert call.cut is cut


def test_a_loop_that_was_left_in_a_call_is_not_blocked() -> None:
    lines = [
        "7 accept4(3, NULL, NULL, SOCK_CLOEXEC) = 5\n",
        "7 epoll_ctl(4, EPOLL_CTL_ADD, 5, {events=EPOLLIN, data={u32=5, u64=5}}) = 0\n",
        "7 epoll_wait(4, [{events=EPOLLIN, data={u32=5, u64=5}}], 8, -1) = 1\n",
        '7 sendto(5, "x", 1, 0, NULL, 0 <detached ...>\n',
    ]
    assert not analyze(lines).findings
