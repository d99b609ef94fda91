"""What threads wait for: the call that blocks a thread, its descriptors, and whether a thread may be busy."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.kernel import Kernel
from tracediag.kernel.calls.waiting import selected
from tracediag.kernel.epoll import EpollSet
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.signals import ORDERS
from tracediag.trace.calls import (
    ACCEPTS,
    CHILD_WAITS,
    EPOLL_WAITS,
    FUTEXES,
    IDLES,
    PAUSES,
    POLLS,
    READS,
    SELECTS,
    SIGNAL_WAITS,
    WAITS,
)
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.values import Structure, items_of, number_of

_NAP = 0.01
"""Seconds of another thread's sleep that show that a call lasts, where there are no times."""
_LINES = 200
"""Lines of other threads that show the same: strace needs at least 50 µs for each."""
_PAUSE = lazy_pattern(r"\{tv_sec=([0-9]{1,9}+), tv_nsec=([0-9]{1,9}+)\}")

_IDLE = frozenset(WAITS | PAUSES | SIGNAL_WAITS | ACCEPTS | FUTEXES | CHILD_WAITS)
"""Calls in which a thread waits for work: it is not about to use a descriptor."""


STOPS = frozenset({*ORDERS, "SIGKILL"})
"""Signals by which a user, supervisor or timeout ends a program that hangs."""

_WORK = _IDLE - FUTEXES
"""A thread that is about to exit waits for the other threads."""


def waiting_on(epoll: EpollSet, thread: Thread) -> Syscall | Begun | None:
    """Return the wait on an epoll set that blocks a thread."""
    call = thread.pending
    if call is None or call.name not in EPOLL_WAITS:
        return None
    holder = thread.process.table.get(call.number(0) or -1)
    return call if holder is not None and holder.file.epoll is epoll else None


def is_busy(thread: Thread) -> bool:
    """Whether a thread may be at work: the model follows few calls, so any thread not known to wait may be."""
    call, last = thread.pending, thread.last_call
    if call is not None:
        return call.name not in _IDLE
    return last is None or last.name not in EPOLL_WAITS or (last.result or 0) > 0


def waits_since(process: Process, line: int) -> bool:
    """Whether the latest call of one of its threads after a line waits for work: the process carries on."""
    latest = (thread.pending or thread.last_call for thread in process.threads)
    return any(call.line > line and call.name in _WORK for call in latest if call is not None)


def blocked_in(thread: Thread) -> Syscall | Begun | None:
    """Return the call that blocks a thread, or in which it was when a signal came; exit and exit_group do not count."""
    last = thread.last_call
    call = thread.pending or (last if last is not None and (last.interrupted or _ended_in(last)) else None)
    return None if call is None or call.name.startswith("exit") else call


def _ended_in(call: Syscall) -> bool:
    """Whether the thread was killed inside the call: strace prints `= ?`."""
    return call.result is None and call.errno is None


def stood_in(end: ProcessEnd) -> list[Syscall | Begun]:
    """Return the calls in which threads stand when the trace ends, or stood when the process was ordered to end.

    Of a process that was killed it is the call of the thread that exited last. A crash interrupts no wait.
    """
    if end.exit is None:
        return [call for thread in end.process.threads if (call := blocked_in(thread)) is not None]
    call = None if end.exit.signal not in STOPS or end.thread is None else blocked_in(end.thread)
    return [] if call is None else [call]


def blocked_at(end: ProcessEnd) -> Syscall | Begun | None:
    """Return the call that blocked a process when a signal killed it, or the trace ended."""
    if end.exit is None:
        return next((call for thread in end.process.threads if (call := blocked_in(thread)) is not None), None)
    return None if end.exit.signal is None or end.thread is None else blocked_in(end.thread)


def killing_lines(end: ProcessEnd) -> Iterator[int]:
    """Yield the lines of the signal that killed a process: it ended the wait, and is not its cause."""
    if end.exit is not None:
        yield end.line
        if end.thread is not None and end.thread.last_signal is not None:
            yield end.thread.last_signal.line


def none_returns(kernel: Kernel) -> bool:
    """Whether no call returns in the trace, as where strace was attached to a program that hangs."""
    return not kernel.succeeded and not kernel.failed


def lasts(call: Syscall, kernel: Kernel, duration: float) -> bool:
    """Whether a call that has not returned is known to have lasted so many seconds.

    Where the recording stops within a call, the call may have been about to return. Without times only what other
    threads did meanwhile shows that time went by: a sleep, or many calls. A trace of a single thread that ends within a
    call was taken while the thread stood in it, unless strace was told to leave.
    """
    last, threads = kernel.last_time, kernel.process_table.threads
    if call.time is not None and last is not None:
        return last - call.time >= duration
    if len(threads) == 1 and not call.cut:
        return True
    others = (thread.last_call for thread in threads.values())
    naps = sum(slept(other) for other in others if other is not None and other.line > call.line)
    return naps >= _NAP or kernel.last_line - call.line >= _LINES


def is_last(call: Syscall | Begun, kernel: Kernel) -> bool:
    """Whether no thread shows a later call."""
    others = (thread.last_call for thread in kernel.process_table.threads.values())
    return all(max(other.line, other.end_line) <= call.line for other in others if other is not None)


def unfollowed(process: Process) -> bool:
    """Whether the process has a thread that strace does not follow: it may do whatever the others do not."""
    return any(thread.last_call is None and thread.inside is None for thread in process.threads)


def slept(call: Syscall) -> float:
    """Return how many seconds a call slept; 0 for any other call."""
    found = _PAUSE.search(call.body) if call.name in IDLES and call.result == 0 else None
    return 0.0 if found is None else checked_integer(found[1]) + checked_integer(found[2]) / 1e9


def waited_for(call: Syscall | Begun) -> frozenset[int] | None:
    """Return the descriptors that a poll, select or read waits for; None if the call does not show them: epoll."""
    if call.name in POLLS:
        entries = (item for item in items_of(call.arg(0)) if isinstance(item, Structure))
        return frozenset(number for entry in entries if (number := number_of(entry.get("fd"))) is not None)
    if call.name in SELECTS:
        return frozenset(selected(call, sets=(1,)))
    if call.name in READS:
        number = call.number(0)
        return None if number is None else frozenset({number})
    return None
