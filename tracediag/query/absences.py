"""Follows `absent [..] between [..] and [..]` over a trace."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.scope import Scope
from tracediag.query.compiled import Compiled
from tracediag.query.matching import Match
from tracediag.query.objects import ObjectKind, name_of
from tracediag.query.subject import Subject
from tracediag.query.watching import MOST_KEPT, ObjectWatch, unrecorded
from tracediag.trace.events import Syscall


class AbsentWatch(ObjectWatch):
    """Two calls on one object without a third between them."""

    def __init__(
        self, by: ObjectKind, missing: Compiled, first: Compiled, last: Compiled, within: float | None
    ) -> None:
        super().__init__(by, (missing, first, last), within)
        self._missing, self._first, self._last = missing, first, last
        self._open: Cases[Hashable, Syscall] = Cases()
        self._found: list[Match] = []

    def take(self, key: Hashable, subject: Subject) -> Iterator[Match]:
        """Open a case with the first end, close it with the missing call or the last end."""
        call, first = subject.call, self._open.get(key)
        if first is not None and self.too_late(first, call):
            del self._open[key]
            first = None
        if first is None:
            if self._first.test(subject):
                self._open[key] = call
            return
        if self._missing.test(subject):
            del self._open[key]
        elif self._last.test(subject):
            del self._open[key]
            self._note(Match((first, call), key, name_of(key), 2))
        yield from ()

    def _note(self, match: Match) -> None:
        if len(self._found) < MOST_KEPT:
            self._found.append(match)
        else:
            self.lose("matches", MOST_KEPT)

    def finish(self, scope: Scope) -> Iterator[Match]:
        """Yield all matches, if the recording would show the missing call: only the end of the trace decides that."""
        if self._open.dropped:
            self.lose("open cases", self._open.kept)
        if self._found and self._missing.calls is not None and not scope.records(self._missing.calls):
            self.unchecked = unrecorded("absent", self._missing.calls)
            return
        yield from self._found
