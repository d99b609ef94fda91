"""What had a descriptor's number before, and which thread closed it."""

from __future__ import annotations

from tracediag.kernel import Action
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.table import DescriptorTable
from tracediag.trace.events import Syscall


def last_owner(action: Action, number: int) -> Descriptor | None:
    """Return what had the number: closed before, or at this moment by another thread."""
    table = action.process.table
    held = table.get(number)
    if held is not None:
        return held if held.closing is not None and held.closing.pid != action.call.pid else None
    return table.last_closed.get(number)


def closed_by(table: DescriptorTable, number: int, pid: int | None) -> Syscall | None:
    """Return the close by which a thread has ended the latest incarnation of a number."""
    gone = table.last_closed.get(number)
    end = None if gone is None else gone.closed
    return end if isinstance(end, Syscall) and end.name == "close" and end.pid == pid else None
