"""What stands around a match: lines of the trace before and after it, or calls on the same object."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.kernel import Action
from tracediag.kernel.descriptor import OpenFile
from tracediag.query import Match
from tracediag.query.subject import Subject
from tracediag.results.search import Context, Found
from tracediag.trace.events import Event, Syscall

Step = tuple[Match | None, Any]
"""A match or None, and the event or action at which it was found or that stands between matches."""
Made = Callable[[Match, Any], Found]


class Surroundings:
    """Adds context to matches."""

    needs_all = False
    """Whether it must see every event."""
    needs_model = False
    """Whether it needs the model of the kernel."""

    def around(self, steps: Iterable[Step], made: Made) -> Iterator[Found]:
        """Yield the matches, made into values, with their context."""
        raise NotImplementedError


class NoContext(Surroundings):
    """Nothing around a match."""

    def around(self, steps: Iterable[Step], made: Made) -> Iterator[Found]:
        """Yield the matches as they are."""
        for match, what in steps:
            if match is not None:
                yield made(match, what if isinstance(what, Action) else None)


class _Waiting(msgspec.Struct):
    """A match that waits for what follows it."""

    found: Found
    before: tuple[Context, ...]
    key: Any = None
    after: list[Context] = []


class Lines(Surroundings):
    """So many lines before and after; or, by object, so many calls on the same open file description."""

    needs_all = True

    def __init__(self, number: int, *, by_object: bool = False) -> None:
        """Set the number of lines or calls on each side."""
        self._number = number
        self._by_object = by_object
        self.needs_model = by_object
        self._before: Cases[Any, deque[Context]] = Cases()
        self._waiting: deque[_Waiting] = deque()

    def around(self, steps: Iterable[Step], made: Made) -> Iterator[Found]:
        """Yield each match once what follows it is known; their order stays."""
        for match, what in steps:
            event = what.event if isinstance(what, Action) else what
            if match is not None:
                last = match.calls[-1]
                key = self._key(last, what)
                before = () if key is _NOTHING else tuple(self._last(key))
                action = what if isinstance(what, Action) else None
                if event is last:
                    self._see(what, event)
                self._waiting.append(_Waiting(made(match, action), before, key, []))
            elif event is not None:
                self._see(what, event)
            yield from self._complete()
        while self._waiting:
            yield _with(self._waiting.popleft())

    def _see(self, what: Any, event: Event) -> None:
        """Take a line as context of the matches before it, and of those to come."""
        row = _row(event)
        key = self._key(event, what)
        if row is None or key is _NOTHING:
            return
        for waiting in self._waiting:
            if waiting.key is key and len(waiting.after) < self._number:
                waiting.after.append(row)
        self._last(key).append(row)

    def _last(self, key: Any) -> deque[Context]:
        return self._before.setdefault(key, deque(maxlen=self._number))

    def _complete(self) -> Iterator[Found]:
        while self._waiting and (self._full(self._waiting[0]) or len(self._waiting) > _MOST_WAITING):
            yield _with(self._waiting.popleft())

    def _full(self, waiting: _Waiting) -> bool:
        gone = isinstance(waiting.key, OpenFile) and waiting.key.gone
        return len(waiting.after) >= self._number or gone or waiting.key is _NOTHING

    def _key(self, event: Event, what: Any) -> Any:
        """Return what the context of an event has in common: the trace itself, or an open file description."""
        if not self._by_object:
            return None
        if not isinstance(event, Syscall) or not isinstance(what, Action):
            return _NOTHING
        held = Subject(event, what).descriptor
        return _NOTHING if held is None else held.file


_NOTHING = object()
_MOST_WAITING = 256
"""Matches that wait for what follows them; a connection may stay open and unused to the end of the trace."""


def _with(waiting: _Waiting) -> Found:
    return msgspec.structs.replace(waiting.found, before=waiting.before, after=tuple(waiting.after))


def _row(event: Event) -> Context | None:
    """Return the line of an event; of a call in two halves, that of its second half."""
    text = getattr(event, "text", "")
    if isinstance(event, Syscall) and event.end_line != event.line:
        return Context(event.end_line, event.pid, event.end_time, f"<... {event.name} resumed> {event.tail}")
    return Context(event.line, event.pid, event.time, text)
