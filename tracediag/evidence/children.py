"""What the trace shows between a parent and its children: signals, waits, and the pipes that join them."""

from __future__ import annotations

from collections.abc import Collection

from tracediag.kernel.process import Process, Reaped
from tracediag.trace.events import Event, Syscall


def was_ended_by_parent(process: Process, sent: Collection[tuple[Process, Syscall]]) -> bool:
    """Whether the parent of a process sent the signal that ended it."""
    signal, parent = None if process.exit is None else process.exit.signal, process.parent
    if signal is None or parent is None:
        return False
    order = process.order
    if order is not None and order.name == signal and parent.is_called(order.sender):
        return True
    return any(by is parent and process.is_called(call.number(0)) and call.has(signal) for by, call in sent)


def sent(parent: Process, pid: int | None, signal: str, calls: Collection[tuple[Process, Syscall]]) -> bool:
    """Whether a process sent a signal to the number of a child, which the trace need not follow."""
    return any(by is parent and call.number(0) == pid and call.has(signal) for by, call in calls)


def names(known: Reaped, pid: int | None) -> bool:
    """Whether a wait took the status of the process with that pid; in a pid namespace the wait has another number."""
    return pid is not None and (known.pid == pid if known.child is None else known.child.is_called(pid))


def closer_of(process: Process, write: Syscall) -> int | None:
    """Return the pid of the process that closed the other end of the call's pipe or socket."""
    number = write.number(0)
    table = process.table
    held = None if number is None else table.open.get(number) or table.last_closed.get(number)
    if held is None or line_of(held.opened) > write.line or (held.closed is not None and held.closed.line < write.line):
        return None
    other = held.file.other
    closed = None if other is None else other.closed
    return None if closed is None else closed.pid


def line_of(event: Event | None) -> int:
    """Return the line of an event, 0 for None."""
    return 0 if event is None else event.line
