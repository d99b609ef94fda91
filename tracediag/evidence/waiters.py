"""What threads wait for: the call that blocks a thread, its descriptors, and whether a thread may be busy."""

from __future__ import annotations

from tracediag.kernel.calls.waiting import selected
from tracediag.kernel.epoll import EpollSet
from tracediag.kernel.process import Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.trace.calls import (
    ACCEPTS,
    CHILD_WAITS,
    EPOLL_WAITS,
    FUTEXES,
    PAUSES,
    POLLS,
    READS,
    SELECTS,
    SIGNAL_WAITS,
    WAITS,
)
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.values import Structure, items_of, number_of

_IDLE = frozenset(WAITS | PAUSES | SIGNAL_WAITS | ACCEPTS | FUTEXES | CHILD_WAITS)
"""Calls in which a thread waits for work: it is not about to use a descriptor."""


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


def blocked_in(thread: Thread) -> Syscall | Begun | None:
    """Return the call that blocks a thread, or that was interrupted; exit and exit_group do not count."""
    last = thread.last_call
    call = thread.pending or (last if last is not None and last.interrupted else None)
    return None if call is None or call.name.startswith("exit") else call


def blocked_at(end: ProcessEnd) -> Syscall | Begun | None:
    """Return the call that blocked a process when a signal killed it, or the trace ended."""
    if end.exit is None:
        return next((call for thread in end.process.threads if (call := blocked_in(thread)) is not None), None)
    return None if end.exit.signal is None or end.thread is None else blocked_in(end.thread)


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
