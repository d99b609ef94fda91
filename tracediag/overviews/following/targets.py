"""One description that is followed: what is counted of it, and the words for a call on it."""

from __future__ import annotations

import msgspec

from tracediag.kernel import Action
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.process import Process
from tracediag.overviews.descriptors import line_of, time_of, what_of
from tracediag.overviews.touching import Touch
from tracediag.results.following import Chunk, End
from tracediag.trace.calls import DUPS, EXECS, MESSAGE_RECEIVES
from tracediag.trace.events import Event, Syscall
from tracediag.trace.records import Exit


class Target(msgspec.Struct, eq=False):
    """One description that is followed."""

    name: str
    file: OpenFile
    process: Process
    line: int | None
    time: float | None
    chunks: list[Chunk] = msgspec.field(default_factory=list)
    sent: int = 0
    received: int = 0
    unseen: int = 0
    closed: Event | None = None


def note_of(touch: Touch, action: Action) -> str:
    """Return what an event does to a description, in words."""
    event = action.event
    if isinstance(event, Exit):
        return f"{touch.note}: the process ends"
    name = event.name if isinstance(event, Syscall) else ""
    if touch.how == "closes " and name in EXECS:
        return f"{touch.note}: close-on-exec"
    if touch.how == "creates " and name in MESSAGE_RECEIVES:
        return f"receives it as fd {touch.number}"
    if touch.how == "creates " and (name in DUPS or name.startswith("fcntl")):
        return f"copies it to fd {touch.number}"
    return touch.note


def end_of(target: Target, names: dict[OpenFile, str]) -> End:
    """Return a description as the report has it, with the name of its other end."""
    file, closed = target.file, target.closed
    socket = file.socket
    return End(
        name=target.name,
        kind=str(file.kind),
        what=what_of(file, target.process),
        local=None if socket is None else socket.local,
        peer=None if socket is None else socket.peer,
        accepted=socket is not None and socket.accepted is not None,
        datagrams=socket is not None and socket.stream is False,
        line=target.line,
        time=target.time,
        closed_line=None if closed is None else line_of(closed),
        closed_time=None if closed is None else time_of(closed),
        other="" if file.other is None else names.get(file.other, ""),
        chunks=tuple(target.chunks),
        sent=target.sent,
        received=target.received,
        unseen=target.unseen,
    )
