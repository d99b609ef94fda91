"""Follows `sum NAME by X [..] >= N` over a trace: bytes that were moved, time that was spent."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.scope import Scope
from tracediag.query.compiled import Compiled
from tracediag.query.matching import Match
from tracediag.query.names import Name
from tracediag.query.objects import ObjectKind, name_of
from tracediag.query.subject import Subject
from tracediag.query.watching import ObjectWatch
from tracediag.trace.events import Syscall

_MOST = 100_000
"""Calls of one object within the time that are summed up."""


class _Tally(msgspec.Struct):
    """What the calls on one object sum up to."""

    latest: deque[tuple[Syscall, float]]
    """The calls within the time, each with its value; without a time, only the latest."""
    total: float = 0.0
    begun: Syscall | None = None
    """The first call of all."""
    last: Syscall | None = None
    """The latest call."""
    first: Syscall | None = None
    """The first call of the match, once the sum is reached; None before."""
    name: str = ""
    count: int = 0


def _summed(earlier: _Tally, later: _Tally) -> _Tally:
    """Return the sum for an object that had been taken for two."""
    latest = sorted((*earlier.latest, *later.latest), key=lambda each: each[0].line)
    known = [tally.first for tally in (earlier, later) if tally.first is not None]
    ends = [tally.last for tally in (earlier, later) if tally.last is not None]
    return _Tally(
        deque(latest, maxlen=earlier.latest.maxlen),
        total=earlier.total + later.total,
        begun=earlier.begun or later.begun,
        last=max(ends, key=lambda call: call.line, default=None),
        first=min(known, key=lambda call: call.line, default=None),
        name=earlier.name or later.name,
        count=earlier.count + later.count,
    )


class SumWatch(ObjectWatch):
    """Calls on one object whose values sum up to so much within a time; all that follow closely are the same match."""

    def __init__(self, by: ObjectKind, step: Compiled, of: Name, least: float, within: float | None) -> None:
        super().__init__(by, (step,), within)
        self._step, self._read, self._least = step, of.read, least
        self._open: Cases[Hashable, _Tally] = Cases(outlive=True, merge=_summed)

    def take(self, key: Hashable, subject: Subject) -> Iterator[Match]:
        """Add the value of a call; yield the match before it, if that is over."""
        value = self._read(subject) if self._step.test(subject) else None
        if value is None:
            return
        tally = self._open.get(key)
        if tally is None:
            tally = self._open[key] = _Tally(deque(maxlen=1 if self._within is None else None))
        if self._within is not None:
            self._leave_out(tally, subject.call)
            if tally.first is not None and (not tally.latest or tally.total + value < self._least):
                yield from self._match(key, tally)
                tally.first, tally.count = None, len(tally.latest)
        self._add(key, tally, subject.call, value)

    def _leave_out(self, tally: _Tally, call: Syscall) -> None:
        """Leave out the calls that came too long before one."""
        while tally.latest and (len(tally.latest) >= _MOST or self.too_late(tally.latest[0][0], call)):
            tally.total -= tally.latest.popleft()[1]
            tally.count -= tally.first is None
        if not tally.latest:  # what was rounded off is no sum
            tally.total = 0.0

    def _add(self, key: Hashable, tally: _Tally, call: Syscall, value: float) -> None:
        tally.begun = tally.begun or call
        tally.last = call
        tally.latest.append((call, value))
        tally.total += value
        tally.count += 1
        if tally.first is None and tally.total >= self._least:
            tally.first = tally.begun if self._within is None else tally.latest[0][0]
            tally.name = name_of(key)

    def _match(self, key: Hashable, tally: _Tally) -> Iterator[Match]:
        if tally.first is not None and tally.last is not None:
            yield Match((tally.first, tally.last), key, tally.name, tally.count)

    def finish(self, scope: Scope) -> Iterator[Match]:
        """Yield the matches that had not ended before the trace did."""
        del scope
        if self._open.dropped:
            self.lose("the objects", self._open.kept)
        for key, tally in self._open.items():
            yield from self._match(key, tally)
