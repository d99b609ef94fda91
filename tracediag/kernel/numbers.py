"""Operations on the numbers of a descriptor table: install, look up, release."""

from __future__ import annotations

from tracediag.kernel.action import Action
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.forking import assume
from tracediag.kernel.table import DescriptorTable
from tracediag.trace.events import Begun, Syscall


def release_all(action: Action, table: DescriptorTable) -> None:
    """Release every descriptor of a table, when its last process ends."""
    table.drop_unused(action.event, only_cloexec=False)
    held = tuple(table)
    for descriptor in held:
        _end(action, descriptor)
    action.released = held


def release(action: Action, descriptor: Descriptor) -> None:
    """Release one descriptor; the last reference to a description also removes its epoll registrations."""
    _end(action, descriptor)
    action.released = (*action.released, descriptor) if action.released else (descriptor,)


def _end(action: Action, descriptor: Descriptor) -> None:
    if not descriptor.table.release(descriptor, action.event):
        return
    file = descriptor.file
    file.released = action.event
    if file.registrations and file.sent is None:
        for entry in list(file.registrations):
            entry.epoll.remove(entry, action.event)


def install(action: Action, number: int, file: OpenFile, *, cloexec: bool | None) -> Descriptor:
    """Install a new descriptor for the calling process, created by the current call."""
    table, call = action.thread.process.table, action.call
    descriptor = Descriptor(number, file, table, call, cloexec)
    if call.end_line != call.line and _closed_early(descriptor, call):
        return descriptor
    lost = table.install(descriptor)
    if lost is not None:
        # A close in another thread that has begun but not returned, or one that was not traced.
        if lost.closing is None and lost.opened is not None and lost.opened.line > action.kernel.elided:
            action.kernel.process_table.strangers.miss_closes(table, call.line)
        release(action, lost)
    action.opened = (*action.opened, descriptor) if action.opened else (descriptor,)
    return descriptor


def _closed_early(descriptor: Descriptor, call: Syscall) -> bool:
    """Let a close in another thread that returned before the call that creates the descriptor take it away again.

    The number was closed already, so that a close of it could only succeed on what this call had just created.
    """
    table, number = descriptor.table, descriptor.number
    gone = table.last_closed.get(number)
    close = None if gone is None else gone.closed
    if gone is None or not isinstance(close, Syscall) or gone.before is None or gone.opened is not None:
        return False
    if close.errno is not None or not call.line < close.line < call.end_line:
        return False
    descriptor.before = gone.before
    descriptor.closed = descriptor.file.released = close
    table.last_closed[number] = descriptor
    return True


def look_up(action: Action, number: int | None) -> Descriptor | None:
    """Return the open descriptor of a number in the caller's table; one not seen before is assumed.

    None for a number that cannot be open: negative, missing, or one on which the call fails with EBADF. Nor is one that
    the trace has shown closed open at the begin of a close: it closes what another thread may be given meanwhile.
    """
    if number is None or number < 0:
        return None
    table = action.process.table
    found = table.get(number)
    if found is not None:
        return found
    event = action.event
    if isinstance(event, Syscall):
        if event.errno == "EBADF":
            return None
    elif isinstance(event, Begun) and event.name == "close" and number in table.last_closed:
        return None
    return assume(action.process, number)
