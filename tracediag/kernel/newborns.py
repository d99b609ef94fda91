"""Threads and children whose clone the recording does not show, known by the first call that the C library makes there.

Each thread tells the kernel where its list of robust futexes is: set_robust_list(2). The list is part of the thread.
The child of a fork registers the address that its parent has (glibc 2.34, sysdeps/nptl/_Fork.c), a new thread one of
its own, from 2.35 on after rseq(2) (`start_thread` in pthread_create.c). strace follows only what followed threads
create, so that the parent is among them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from tracediag.kernel.forking import forked
from tracediag.kernel.process import Process, Thread
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.numbers import hexadecimal

_TID_TO_LIST = 16


def newborn(event: Event, threads: Collection[Thread]) -> Process | None:
    """Return the process of a child or thread that its first event shows, without its clone; None if it shows none.

    Args:
        event: the first event of an unknown pid.
        threads: the threads that have not ended.
    """
    if event.pid is None or not isinstance(event, Syscall | Begun):
        return None
    parent = forked_from(event, threads)
    return (
        started_by(event, threads)
        if parent is None
        else forked(next(iter(parent.threads)), event.pid, frozenset(), event)
    )


def forked_from(event: Event, threads: Iterable[Thread]) -> Process | None:
    """Return the parent of a process whose first event this is, by the address of the list; None if unknown.

    Of several with that address, which are forks of one another, the first one is taken: it outlives its workers.
    """
    if not isinstance(event, Syscall | Begun) or event.name != "set_robust_list":
        return None
    address = robust_list(event)
    alike = [thread.process for thread in threads if thread.robust_list == address]
    return alike[0] if alike and len({process.program for process in alike}) == 1 else None


def started_by(event: Event, threads: Iterable[Thread]) -> Process | None:
    """Return the process of a thread whose first event this is, if there is only one process; None if unknown."""
    if not isinstance(event, Syscall | Begun) or event.name not in ("set_robust_list", "rseq"):
        return None
    processes = {thread.process for thread in threads}
    only = processes.pop() if len(processes) == 1 else None
    # A thread with a list is one that has started, and not one that runs since before the trace.
    return only if only is not None and any(thread.robust_list for thread in only.threads) else None


def born_with(event: Event | None, clones: Mapping[int, tuple[Thread, Syscall]]) -> int | None:
    """Return which clone created the thread whose first event this is, if only one can have; None if unknown.

    glibc has the list 16 bytes after the thread's id, whose address each clone gives: `struct pthread` on 64 bits.
    """
    if not isinstance(event, Syscall | Begun) or event.name != "set_robust_list":
        return None
    address = hexadecimal(robust_list(event))
    if address is None:
        return None
    at = f"={address - _TID_TO_LIST:#x}"
    found = [number for number, (_, call) in clones.items() if at in call.body]
    return found[0] if len(found) == 1 and all("child_tid" in call.body for _, call in clones.values()) else None


def robust_list(call: Syscall | Begun) -> str:
    """Return the address that a set_robust_list gives, as printed."""
    return call.body.partition(",")[0]
