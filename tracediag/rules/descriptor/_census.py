"""Counts the descriptors that a process holds open, by origin."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import msgspec

from tracediag.kernel.descriptor import Kind, OpenFile
from tracediag.kernel.table import DescriptorTable
from tracediag.trace.calls import MESSAGE_RECEIVES
from tracediag.trace.events import Syscall

_STANDARD_STREAMS = 3
_RECEIVES = MESSAGE_RECEIVES | {"pidfd_getfd"}


class Origin(msgspec.Struct, eq=False):
    """Descriptors of one origin."""

    label: str
    """In the plural: "connections accepted at 127.0.0.1:80"."""
    count: int = 0
    first: Syscall | None = None
    last: Syscall | None = None

    def add(self, opened: Syscall | None) -> None:
        """Count one descriptor more."""
        self.count += 1
        if opened is not None:
            self.first = opened if self.first is None or opened.line < self.first.line else self.first
            self.last = opened if self.last is None or opened.line > self.last.line else self.last


def census(table: DescriptorTable) -> list[Origin]:
    """Return the descriptors of a table above the standard streams by origin, the largest group first."""
    found: dict[str, Origin] = {}
    for number, file, opened in _held(table):
        if number >= _STANDARD_STREAMS:
            label = "descriptors received from other processes" if _received(opened) else _label(file)
            found.setdefault(label, Origin(label)).add(opened)
    return sorted(found.values(), key=lambda origin: -origin.count)


def _received(opened: Syscall | None) -> bool:
    return opened is not None and opened.name in _RECEIVES


def _held(table: DescriptorTable) -> Iterator[tuple[int, OpenFile, Syscall | None]]:
    # Inherited numbers are counted in place: creating a Descriptor for each would waste memory.
    for number, descriptor in table.open.items():
        yield number, descriptor.file, descriptor.opened if _received(descriptor.opened) else descriptor.file.opened
    for number, inherited in table.inherited.items():
        yield number, inherited[0], inherited[0].opened


def _label(file: OpenFile) -> str:
    socket = file.socket
    if socket is not None:
        if socket.accepted is not None:
            return f"connections accepted at {socket.local}" if socket.local else "accepted connections"
        return f"sockets connected to {socket.peer}" if socket.peer else "sockets"
    if file.kind is Kind.PIPE:
        return "pipe ends"
    if file.kind is Kind.MEMFD:
        return "memfds"
    path = file.path
    if path is None:
        return "descriptors from before the trace" if file.opened is None else f"results of {file.opened.name}"
    return f"files in {posixpath.dirname(path) or '.'}"
