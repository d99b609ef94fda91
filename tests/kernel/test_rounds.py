"""The turns of a loop that the model keeps, and the last use of a description."""

from __future__ import annotations

from tracediag.kernel import Kernel, apply
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Round
from tracediag.reading import read


def _told(*lines: str) -> Kernel:
    kernel = Kernel()
    for event in read([f"{line}\n" for line in lines]):
        apply(kernel, event)
    return kernel


def _turn(kernel: Kernel) -> Round:
    (thread,) = kernel.process_table.threads.values()
    return next(iter(thread.rounds.values()))


def _held(kernel: Kernel, number: int) -> Descriptor:
    found = kernel.processes[0].table.get(number)
    assert found is not None
    return found


def test_number_that_poll_calls_invalid_is_not_open() -> None:
    kernel = _told("poll([{fd=7, events=POLLIN}], 1, -1) = 1 ([{fd=7, revents=POLLNVAL}])")
    assert kernel.processes[0].table.get(7) is None
    assert [(report.number, report.descriptor) for report in _turn(kernel).reports] == [(7, None)]


def test_turn_with_a_sleep() -> None:
    kernel = _told(
        "poll([{fd=7, events=POLLIN}], 1, -1) = 1 ([{fd=7, revents=POLLIN}])",
        "clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=0, tv_nsec=100}, NULL) = 0",
    )
    paused = _turn(kernel).paused
    assert paused is not None
    assert paused.name == "clock_nanosleep"


def test_turn_with_another_wait_that_returns_no_event() -> None:
    kernel = _told(
        "epoll_wait(4, [{events=EPOLLIN, data=7}], 8, -1) = 1",
        "select(0, NULL, NULL, NULL, {tv_sec=0, tv_usec=100}) = 0 (Timeout)",
    )
    assert _turn(kernel).paused is not None


def test_last_use_of_a_description_by_any_process() -> None:
    kernel = _told(
        "100 pipe([3, 4]) = 0",
        "100 fork() = 101",
        "100 poll([{fd=3, events=POLLIN}], 1, -1) = 1 ([{fd=3, revents=POLLIN}])",
        '101 read(3, "x", 1) = 1',
    )
    used = _held(kernel, 3).file.used
    assert used is not None
    assert (used.pid, used.name) == (101, "read")


def test_splice_uses_both_ends() -> None:
    kernel = _told(
        "pipe([3, 4]) = 0",
        "pipe([5, 6]) = 0",
        "poll([{fd=3, events=POLLIN}, {fd=6, events=POLLOUT}], 2, -1) = 1 ([{fd=6, revents=POLLOUT}])",
        "splice(3, NULL, 6, NULL, 10, 0) = 10",
    )
    assert _held(kernel, 3).file.used is _held(kernel, 6).file.used is not None


def test_set_that_is_closed_while_a_thread_waits_on_it() -> None:
    kernel = _told(
        "100 epoll_create1(0) = 3",
        "100 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD) = 101",
        "101 epoll_wait(3,  <unfinished ...>",
        "100 close(3) = 0",
        "101 <... epoll_wait resumed>[], 1, 2) = 0",
    )
    table = kernel.processes[0].table
    assert table.get(3) is None
    assert table.last_closed[3].closed is not None
