"""How connections lived, told at their end by what the model keeps of each: no call costs more for it.

The model keeps the last read and the last write of a socket, and the first error: enough to see that one connection of
a thousand was closed without an answer. `tracediag lives` follows every call instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from tracediag.kernel.describe import describe_file
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.socket import Socket
from tracediag.trace.calls import READS
from tracediag.trace.events import Event, Syscall
from tracediag.trace.records import Exit

ACCEPTED, MADE = "connections accepted", "connections made"
_MOST = 256
"""Shapes that are told apart: a dozen occur."""
_KEPT = 8
"""Connections of a shape whose lines are remembered."""


class Lived(msgspec.Struct):
    """The connections of one shape."""

    example: str
    """The first of them, as a person names it."""
    lines: list[tuple[int, int]]
    """The first and the last line of the first few of them."""
    count: int = 0


class ConnectionLives:
    """The shapes of the connections that have ended, by kind."""

    def __init__(self) -> None:
        self.shapes: dict[str, dict[tuple[str, ...], Lived]] = {}

    def record(self, released: Collection[Descriptor], event: Event) -> None:
        """Record the connections among the descriptors that an event releases."""
        for descriptor in released:
            socket = descriptor.file.socket
            if socket is not None and (birth := _birth(socket)) is not None and descriptor.file.gone:
                self._add(descriptor, birth, event)

    def _add(self, descriptor: Descriptor, birth: Syscall, event: Event) -> None:
        file = descriptor.file
        kind = ACCEPTED if file.socket is not None and file.socket.accepted is birth else MADE
        shapes = self.shapes.setdefault(kind, {})
        steps = tuple(_steps(file, event))
        lived = shapes.get(steps)
        if lived is None:
            if len(shapes) >= _MOST:
                return
            what = describe_file(file)
            name = f"fd {descriptor.number}"
            lived = shapes[steps] = Lived(f"{name} = {what}" if what else name, [])
        lived.count += 1
        if len(lived.lines) < _KEPT:
            lived.lines.append((birth.line, event.line))


def _birth(socket: Socket) -> Syscall | None:
    """Return the call that made a connection; None for a socket that is none, or that could not be connected."""
    if socket.accepted is not None:
        return socket.accepted
    made = socket.connected
    established = made is not None and socket.stream and (made.errno is None or made.errno == "EINPROGRESS")
    return made if established else None


def _steps(file: OpenFile, event: Event) -> Iterator[str]:
    """Yield the steps of a connection, in order: reads and writes stand where the last of them was."""
    socket = file.socket
    if socket is None:
        return
    yield "connect" if socket.accepted is None else "accept"
    moved = [("read", socket.last_read), ("write", socket.last_write)]
    if socket.broken is not None:
        kind = "read" if socket.broken.name in READS else "write"
        moved.append((f"{kind} {socket.broken.errno}", socket.broken))
    known = [(call.line, step) for step, call in moved if call is not None]
    yield from (step for _, step in sorted(known))
    yield "process ends" if isinstance(event, Exit) else "close"
