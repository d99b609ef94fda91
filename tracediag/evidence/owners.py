"""The previous descriptor of a number, and the thread that closed it."""

from __future__ import annotations

from tracediag.kernel import Action
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.table import DescriptorTable
from tracediag.trace.events import Syscall


def last_owner(action: Action, number: int) -> Descriptor | None:
    """Return the descriptor that had the number: closed before, or being closed by another thread."""
    table = action.process.table
    held = table.get(number)
    if held is not None:
        return held if held.closing is not None and held.closing.pid != action.call.pid else None
    return table.last_closed.get(number)


def closed_by(table: DescriptorTable, number: int, pid: int | None) -> Syscall | None:
    """Return the close by a thread of the latest descriptor with a number; None if it was not that thread's."""
    gone = table.last_closed.get(number)
    end = None if gone is None else gone.closed
    return end if isinstance(end, Syscall) and end.name == "close" and end.pid == pid else None
