"""What threads do while others serve an event loop: who stands in a wait on a set, who may be at work."""

from __future__ import annotations

from tracediag.kernel.epoll import EpollSet
from tracediag.kernel.process import Thread
from tracediag.trace.calls import EPOLL_WAITS, POLLS, SELECTS
from tracediag.trace.events import Begun, Syscall

_IDLE = frozenset(
    {*EPOLL_WAITS, *POLLS, *SELECTS, "accept", "accept4", "futex", "wait4", "waitid", "rt_sigtimedwait", "pause"}
)
"""Calls in which a thread waits for work: it is not about to do something with the descriptor."""


def waiting_on(epoll: EpollSet, thread: Thread) -> Syscall | Begun | None:
    """Return the wait on a set in which a thread stands."""
    call = thread.pending
    if call is None or call.name not in EPOLL_WAITS:
        return None
    holder = thread.process.table.get(call.number(0) or -1)
    return call if holder is not None and holder.file.epoll is epoll else None


def is_busy(thread: Thread) -> bool:
    """Whether a thread may be at work; most calls are not looked at, so one that is not seen waiting may be."""
    call, last = thread.pending, thread.last_call
    if call is not None:
        return call.name not in _IDLE
    return last is None or last.name not in EPOLL_WAITS or (last.result or 0) > 0
