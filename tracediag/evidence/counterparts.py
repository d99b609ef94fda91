"""Finds the other end of a pipe or connection of which the recording does not show the creation.

The data tells: what one process writes under one number is what another reads under another, at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.kernel.descriptor import Kind, OpenFile
from tracediag.kernel.kernel import Kernel
from tracediag.kernel.table import DescriptorTable
from tracediag.trace.events import Syscall

_KINDS = (Kind.UNKNOWN, Kind.PIPE)
_MOST = 256
"""Processes among which the writer is looked for."""
_LEAST = 2
"""Bytes that tell one message from another."""


def counterpart(file: OpenFile, kernel: Kernel) -> OpenFile | None:
    """Return the write end of what a process reads, where both are older than the trace; None if unknown."""
    read = file.got
    if file.opened is not None or file.kind not in _KINDS or read is None or (read.result or 0) < _LEAST:
        return None
    if len(kernel.processes) > _MOST:
        return None
    running = (process.table for process in kernel.processes if process.exit is None)
    others = {other: None for table in running for other in _held(table)}
    found = [other for other in others if other is not file and other.kind in _KINDS and other.opened is None]
    matching = [other for other in found if other.written is not None and _passes(other.written, read)]
    return matching[0] if len(matching) == 1 else None


def _held(table: DescriptorTable) -> Iterator[OpenFile]:
    yield from (held.file for held in table.open.values())
    yield from (entry[0] for _, entry in table.inherited.items())


def _passes(write: Syscall, read: Syscall) -> bool:
    """Whether what a write brought is what a read returned, in another process, and not before it was written."""
    return (
        write.result == read.result
        and write.pid != read.pid
        and write.line < max(read.line, read.end_line)
        and _text(write) == _text(read) != ""
    )


def _text(call: Syscall) -> str:
    """Return the data of a read or write as printed."""
    return call.body[call.body.find('"') : call.body.rfind('"') + 1]
