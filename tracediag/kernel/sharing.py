"""Processes of which the trace does not show the start may be threads of one: what proves it, and what then holds.

strace attached to a process prints one pid for each of its threads, and no line that says so: clone(2), CLONE_FILES.
"""

from __future__ import annotations

import re

from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.joining import join, may_be_one
from tracediag.kernel.kernel import Kernel
from tracediag.kernel.process import Process
from tracediag.kernel.table import DescriptorTable
from tracediag.trace.events import Syscall

_OF_ONE = re.compile(r"[A-Za-z][\w-]*+:\[(?>[0-9]++\]|[^\]]*->)").match
"""A note that only one socket or pipe in the system can have: by its inode, or by both of its addresses."""


def unite(kernel: Kernel, process: Process, other: Process | None) -> bool:
    """Take two processes for one if neither birth is in the trace; return whether they are one from now on."""
    if other is None or other is process or process.started is not None or other.started is not None:
        return False
    _merge(kernel, process, other)
    return True


def with_maker(kernel: Kernel, process: Process, number: int, note: str) -> bool:
    """Find the thread that made a descriptor that a process has never got, and take both processes for one.

    A process that had lines before the descriptor was made has no copy of it by fork. Returns whether one was found.
    """
    if _OF_ONE(note) is None or process.started is not None:
        return False
    strangers = kernel.process_table.strangers
    for other, held in strangers.holding(number):
        made = held.opened
        if other is not process and made is not None and made.detail == note and strangers.before(process, made.line):
            return unite(kernel, process, other)
    return False


def _merge(kernel: Kernel, process: Process, other: Process) -> None:
    """Make the threads of one process threads of another, with one table for both.

    What both tables hold under a number is the descriptor that was created last.
    """
    for thread in list(other.threads):
        thread.process = process
        process.threads[thread] = None
    other.threads.clear()
    process.failures.extend(other.failures)
    process.messages.extend(other.messages)
    process.refusals += other.refusals
    for pid, child in other.children.items():
        process.children.setdefault(pid, child)
        child.parent = process
    for at, (sender, call) in enumerate(kernel.sent):
        if sender is other:
            kernel.sent[at] = (process, call)
    _merge_tables(process, process.table, other.table)
    other.table.users.pop(other, None)
    line = 0 if kernel.last_event is None else kernel.last_event.line
    kernel.process_table.absorb(other, process, line)
    other.same_as = process
    other.hand_over(process)


def _merge_tables(process: Process, table: DescriptorTable, other: DescriptorTable) -> None:
    for number, gone in other.last_closed.items():
        if number not in table.open:
            table.last_closed.setdefault(number, gone)
    for number, held in other.open.items():
        held.table = table
        if _closed_by(table, held):
            continue
        mine = table.open.get(number)
        if mine is None or (held.opened is not None and _born(held) > _born(mine)):
            if mine is not None:
                _drop(mine)
            table.open[number] = held
            table.last_closed.pop(number, None)
        elif may_be_one(mine, held):
            join(process, mine, held)
        else:
            _drop(held)


def _drop(held: Descriptor) -> None:
    """Let go of what had a number before it was given out again: it was closed in between, which the trace lacks."""
    held.file.holders.pop(held, None)
    held.end_watch()
    if held.file.gone:
        held.file.end_watch()


def _closed_by(table: DescriptorTable, held: Descriptor) -> bool:
    """Whether a close by the other process hit a descriptor, under a number that it did not hold itself."""
    gone = table.last_closed.get(held.number)
    close = None if gone is None else gone.closed
    if gone is None or gone.opened is not None or not isinstance(close, Syscall) or close.errno is not None:
        return False
    if close.line < _born(held) or (held.opened is None and not _used_until(held, close)):
        return False
    held.before, held.closed = gone.before, close
    held.file.holders.pop(held, None)
    held.file.released = held.file.released or close
    table.last_closed[held.number] = held
    return True


def _used_until(held: Descriptor, close: Syscall) -> bool:
    """Whether data passed through a descriptor that is older than the trace, and only before a close."""
    file, socket = held.file, held.file.socket
    ends = (file.got, file.written) if socket is None else (socket.last_read, socket.last_write)
    lines = [call.line for call in ends if call is not None]
    return bool(lines) and max(lines) < close.line


def _born(descriptor: Descriptor) -> int:
    return 0 if descriptor.opened is None else max(descriptor.opened.line, descriptor.opened.end_line)
