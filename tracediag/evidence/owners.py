"""The previous descriptor of a number, and the thread that closed it."""

from __future__ import annotations

import re

from tracediag.kernel import Action
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.table import DescriptorTable
from tracediag.trace.events import Syscall

_LISTING = re.compile(r"/(?:proc/(?:self|thread-self|[0-9]++)/(?:task/[0-9]++/)?|dev/)fd/?").fullmatch


def lists_itself(gone: Descriptor) -> bool:
    """Whether it was the directory of the process's own descriptors: proc_pid_fd(5).

    The list that it yields has its own number, which is closed by the time the program goes through the list.
    """
    path = gone.file.path
    return path is not None and _LISTING(path) is not None


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
