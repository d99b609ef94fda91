"""A list of happenings that keeps the first and the last ones, and folds like ones in a row."""

from __future__ import annotations

from collections import deque
from typing import Protocol

import msgspec

from tracediag.overviews.descriptors import line_of, time_of
from tracediag.results.following import Happening
from tracediag.trace.calls import WAITS
from tracediag.trace.events import Event, Syscall


class Named(Protocol):
    """What a happening belongs to; its name may be known only at the end."""

    name: str


class _Entry(msgspec.Struct, eq=False):
    event: Event
    note: str
    target: Named | None
    repeats: int = 1
    last_line: int = 0


class Log:
    """The happenings, in order."""

    def __init__(self, limit: int) -> None:
        """Set how many to keep; 0 for all."""
        self._head = (limit + 1) // 2
        self._first: list[_Entry] = []
        self._last: deque[_Entry] = deque(maxlen=limit // 2 if limit else None)
        self._previous: _Entry | None = None
        self._count = 0

    def add(self, event: Event, note: str, target: Named | None = None) -> None:
        """Add one."""
        entry, previous = _Entry(event, note, target), self._previous
        if previous is not None and _alike(previous, entry):
            previous.repeats += 1
            previous.last_line = line_of(event)
            return
        self._previous = entry
        self._count += 1
        if len(self._first) < self._head:
            self._first.append(entry)
        else:
            self._last.append(entry)

    def happenings(self) -> tuple[tuple[Happening, ...], int]:
        """Return those that were kept, and how many were not."""
        kept = [*self._first, *self._last]
        return tuple(map(_happening, kept)), self._count - len(kept)


def _alike(one: _Entry, other: _Entry) -> bool:
    """Whether two happenings in a row say the same: failures and waits by their kind, others by their text."""
    a, b = one.event, other.event
    if one.note != other.note or one.target is not other.target or a.pid != b.pid:
        return False
    if not isinstance(a, Syscall) or not isinstance(b, Syscall) or a.name != b.name or a.errno != b.errno:
        return False
    return a.failed or a.name in WAITS or a.body == b.body


def _happening(entry: _Entry) -> Happening:
    event = entry.event
    return Happening(
        line=line_of(event),
        pid=event.pid,
        time=time_of(event),
        end="" if entry.target is None else entry.target.name,
        text=getattr(event, "text", ""),
        note=entry.note,
        repeats=entry.repeats,
        last_line=entry.last_line or None,
    )
