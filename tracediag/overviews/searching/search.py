"""Searches a trace for the calls, or sequences of calls, that a query describes, in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from tracediag.evidence.scope import Fact, Scope
from tracediag.kernel import Kernel, apply, begun_calls, known_calls
from tracediag.overviews.counting.view import Progress
from tracediag.overviews.searching.context import NoContext, Surroundings
from tracediag.overviews.sources import known_of, source_of
from tracediag.query import Match, Query, Watch, forget_released
from tracediag.query.names import Name, shown
from tracediag.query.stand_ins import CALLS, StandIn, kind_of, subject_call
from tracediag.query.subject import Subject
from tracediag.reading import AnySource, Reader
from tracediag.reading.stepping import Sought
from tracediag.results.search import Found, FoundCall, Group, Groups, Reason
from tracediag.results.tables import Source
from tracediag.snapshot import Snapshot
from tracediag.trace.events import Syscall

MOST_GROUPS = 1 << 16
"""Values that are told apart; calls with further values count for none."""


class _Sum(msgspec.Struct):
    """The calls of one group, while they are counted."""

    first: int
    calls: int = 0
    total: float | None = None

    def add(self, call: Syscall, count: int) -> None:
        """Count a call, or the calls that a match stands for."""
        self.calls += count
        if call.duration is not None:
            self.total = (self.total or 0.0) + call.duration


class Searching:
    """One search: iterate over it for the matches; `source` and `unchecked` are complete when the iteration has ended.

    Matches come in the order in which their calls return; those that only the end of the trace decides come last.
    """

    def __init__(
        self,
        trace: AnySource,
        query: Query,
        *,
        surroundings: Surroundings | None = None,
        why: bool = False,
        model: bool = False,
        every: bool = False,
        progress: Progress | None = None,
        known: Snapshot | None = None,
    ) -> None:
        """Open the trace.

        Args:
            trace: as for `Reader`.
            query: what to search for.
            surroundings: collects the lines or calls around each match.
            why: whether each match says which parts of the query are true of it.
            model: whether the model of the kernel is needed even if the query does not read it.
            every: whether every call must be seen, also one that neither matches nor changes the model.
            progress: called with the number of bytes consumed.
            known: what /proc showed of the processes; by default the snapshot beside the trace, if there is one.

        Raises:
            UnreadableError: if the trace cannot be opened.
        """
        self._query = query
        self._surroundings = surroundings or NoContext()
        self._why = why
        self._model = model or query.model
        self._every = every or query.every
        self._trace = trace
        self._known = None if self._is_plain else known or known_of(trace)
        self.unchecked = ""
        """Why matches may be missing, in one sentence; "" if none may."""
        self._reader = Reader(trace, progress=progress, **self._wanted())

    def _wanted(self) -> dict[str, Any]:
        """Return which calls the reader must make events of: every other call is only framed and counted."""
        query = self._query
        if self._surroundings.needs_all:
            return {}
        if self._is_plain and query.kinds != CALLS:
            return {"begun": (), "calls": query.calls}
        if self._is_plain:
            return {"begun": (), "sought": Sought(query.calls, query.errnos, query.texts)}
        calls = None if query.calls is None or self._every else known_calls() | query.calls
        return {"calls": calls, "begun": begun_calls()}

    @property
    def _is_plain(self) -> bool:
        """Whether the calls themselves decide, without the model of the kernel."""
        return self._query.is_condition and not self._model and not self._surroundings.needs_model

    def source(self) -> Source:
        """Return the trace, as far as it has been read."""
        return source_of(self._trace, self._reader)

    def __iter__(self) -> Iterator[Found]:
        """Yield the matches."""
        return self._surroundings.around(self._steps(), self._found)

    def calls(self) -> Iterator[Syscall]:
        """Yield the matching calls; of several calls, the last one."""
        last = (match.calls[-1] for match, _ in self._steps() if match is not None)
        return (call for call in last if not isinstance(call, StandIn))

    def total(self, field: Name) -> float:
        """Read the trace and return the sum of a number or time over the matching calls; calls without one add 0."""
        values = (field.read(Subject(match.calls[-1], action)) for match, action in self._steps() if match is not None)
        return sum((value for value in values if value is not None), 0.0)

    def count(self) -> int:
        """Read the trace and return the number of matches."""
        return sum(match is not None for match, _ in self._steps())

    def grouped(self, field: Name, limit: int = 0) -> Groups:
        """Read the trace and return the matching calls grouped by a field; of several calls, the last one counts.

        Args:
            field: what to group by; one that reads the model needs a search with `model`.
            limit: so many groups at most; 0: all.
        """
        rows: dict[str, _Sum] = {}
        total = 0
        for match, action in self._steps():
            if match is not None:
                call = match.calls[-1]
                total += match.count
                value = shown(field.read(Subject(call, action)))
                row = rows.get(value)
                if row is None:
                    value = value if len(rows) < MOST_GROUPS else ""
                    row = rows.setdefault(value, _Sum(call.line))
                row.add(call, match.count)
        ranked = sorted(rows.items(), key=lambda item: (-item[1].calls, item[1].first))
        kept = ranked[:limit] if limit else ranked
        return Groups(
            source=self.source(),
            query=self._query.text,
            by=field.name,
            calls=total,
            groups=tuple(Group(value=value, calls=row.calls, total=row.total, first=row.first) for value, row in kept),
            left_out=len(ranked) - len(kept),
        )

    def _steps(self) -> Iterator[tuple[Match | None, Any]]:
        return self._plain() if self._is_plain else self._modelled()

    def _plain(self) -> Iterator[tuple[Match | None, Any]]:
        matches, everything = self._query.matches_call, self._surroundings.needs_all
        others = self._query.kinds - CALLS
        for event in self._reader:
            if isinstance(event, Syscall) and matches(event):
                yield Match((event,)), event if everything else None
            elif type(event) in others and (call := subject_call(event)) is not None and matches(call):
                yield Match((call,)), event if everything else None
            elif everything:
                yield None, event

    def _modelled(self) -> Iterator[tuple[Match | None, Any]]:
        kernel, watch = Kernel(known=self._known), self._query.watch()
        everything = self._surroundings.needs_all
        for event in self._reader:
            action = apply(kernel, event)
            found = False
            for match in watch.feed(action):
                found = True
                yield match, action
            if everything and not found:
                yield None, action
            if action.released or not isinstance(event, Syscall):
                forget_released(action)
        yield from ((match, None) for match in self._rest(kernel, watch))

    def _rest(self, kernel: Kernel, watch: Watch) -> Iterable[Match]:
        scope = Scope(kernel, self._facts)
        scope.end()
        rest = tuple(watch.finish(scope))
        self.unchecked = watch.unchecked or watch.lost
        return rest

    def _facts(self) -> tuple[Fact, ...]:
        return (Fact.EVERY_CALL,) if self._reader.dialect.has_every_call else ()

    def _found(self, match: Match, action: Any) -> Found:
        reasons = self._query.why(match.calls[-1], action) if self._why else ()
        return Found(
            calls=tuple(map(found_call, match.calls)),
            object=match.object,
            count=match.count,
            why=tuple(Reason(part, shown(value)) for part, value in reasons),
        )


def found_call(call: Syscall) -> FoundCall:
    """Return a call as a value."""
    return FoundCall(
        line=call.line,
        end_line=call.end_line,
        pid=call.pid,
        time=call.time,
        name=call.name or kind_of(call).__name__.lower(),
        text=call.text,
        result=call.result,
        errno=call.errno,
        duration=call.duration,
    )
