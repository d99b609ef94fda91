"""One epoll set in several processes: what each changed in it, and which other process that concerns."""

from __future__ import annotations

import msgspec

from tracediag.evidence.runs import Run
from tracediag.evidence.waiters import waiting_on
from tracediag.kernel import Kernel
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.epoll import Registration
from tracediag.kernel.process import Process
from tracediag.trace.events import Begun, Syscall


class Change(msgspec.Struct):
    """An epoll_ctl by which one process changed what another waits for."""

    process: Process
    operation: str
    """"ADD" or "DEL"."""
    call: Syscall
    entry: Registration
    added: Syscall | None
    """The EPOLL_CTL_ADD, by another process, of what was changed or removed."""
    waiter: Syscall | Begun | None = None
    """The first wait of another process that this concerns."""
    other: Process | None = None
    misdelivered: Run | None = None
    """The waits that reported it to a process that has no such descriptor."""
    undone: bool = False
    lines: list[int] = msgspec.field(default_factory=list)
    """The lines of calls that failed because of it."""


class Shared(msgspec.Struct):
    """What happened to one set since it was shared."""

    changes: list[Change] = msgspec.field(default_factory=list)


def is_shared(holder: Descriptor, process: Process) -> bool:
    """Whether another traced process holds the set too."""
    return any(other.table is not process.table for other in holder.others)


def _holds(process: Process, file: OpenFile) -> bool:
    process.table.claim(file)
    return any(held.table is process.table for held in file.holders)


def concerns(change: Change, process: Process, call: Syscall | Begun) -> bool:
    """Whether a change concerns a wait of this process, made or still in progress after the change."""
    if isinstance(call, Syscall) and call.returned and max(call.line, call.end_line) < change.call.line:
        return False
    # An addition concerns a process without that descriptor, a removal a process that has it.
    return _holds(process, change.entry.file) is (change.operation == "DEL")


def hurts(change: Change) -> bool:
    """Whether a change removes what another process keeps waiting for."""
    return change.operation == "DEL" and change.waiter is not None and not change.undone


def is_misdelivered(entry: Registration, process: Process) -> bool:
    """Whether a process got an event of a descriptor that it does not have."""
    if entry.descriptor.table is process.table or _holds(process, entry.file):
        return False
    # If the set also watches that number of the process itself, the event may mean either.
    own = process.table.get(entry.number)
    return own is None or entry.epoll.find(entry.number, own.file) is None


def find_waiter(change: Change, kernel: Kernel) -> None:
    """Find another process that is waiting on the set at the end of the trace."""
    for thread in kernel.process_table.threads.values():
        if thread.process is change.process:
            continue
        call = waiting_on(change.entry.epoll, thread)
        if call is not None and concerns(change, thread.process, call):
            change.waiter, change.other = call, thread.process
            return
