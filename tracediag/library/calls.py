"""Calls of a trace, asked for step by step: `trace.calls("connect").where("failed").by("fd.peer")`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tracediag.overviews.searching.search import Searching
from tracediag.query import Query, QueryError, compile_field, compile_query
from tracediag.query.stand_ins import CALLS
from tracediag.query.types import Type
from tracediag.results.search import Group
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern

_NAME = lazy_pattern(r"%?[a-z_][a-z0-9_]*+")
_SUMMED = (Type.NUMBER, Type.SECONDS)


class Calls:
    """Some of the calls of a trace. Nothing is read until they are iterated over, counted, summed or grouped.

    Each of these is one pass; only calls that can match become events, and the kernel is rebuilt only where the
    query or the field needs it.
    """

    def __init__(self, search: Callable[[Query, bool], Searching], query: Query) -> None:
        """Set how to start a search, given the query and whether the model of the kernel is needed anyway."""
        self._search = search
        self._query = query

    def __repr__(self) -> str:
        return f"<Calls {self._query.text!r}>"

    def __iter__(self) -> Iterator[Syscall]:
        """Yield the calls, in the order in which they return. Raises `UnreadableError`."""
        return self._search(self._query, False).calls()

    def where(self, query: str) -> Calls:
        """Return those of the calls that also match a query, in the language of docs/query.md.

        Raises:
            QueryError: if it is not of the language, or is about several calls: use `Trace.search`.
        """
        compiled = compile_query(query)
        if not compiled.is_condition:
            raise QueryError(query, 0, "where() takes a condition on one call; use search() for several calls")
        if compiled.kinds != CALLS:
            raise QueryError(query, 0, "where() takes a condition on calls; use search() for signals and ends")
        return Calls(self._search, self._query.narrowed(compiled))

    def first(self) -> Syscall | None:
        """Return the first call, None if there is none; the trace is read only that far."""
        return next(iter(self), None)

    def count(self) -> int:
        """Return how many calls there are."""
        return self._search(self._query, False).count()

    def total(self, name: str) -> float:
        """Return the sum of a number over the calls: "duration" in seconds, "bytes"; calls without one add 0.

        Raises:
            QueryError: if nothing is named so, or it is not a number.
        """
        field = compile_field(name)
        if field.type not in _SUMMED:
            raise QueryError(name, 0, f"{name} is of type {field.type}; total() takes a number or a time")
        return self._search(self._query, field.model).total(field)

    def by(self, name: str) -> tuple[Group, ...]:
        """Return the calls grouped by what a name reads, the largest group first.

        Raises:
            QueryError: if nothing is named so, or it has no single value.
        """
        field = compile_field(name)
        return self._search(self._query, field.model).grouped(field).groups


def query_of(names: tuple[str, ...]) -> Query:
    """Return the query for calls of these names or classes ("%network"); without names, for all calls.

    Raises:
        QueryError: if no call or class is named so.
    """
    if not names:
        return compile_query("failed or not failed")
    for name in names:
        if not _NAME.fullmatch(name):
            raise QueryError(name, 0, "calls() takes names of calls and classes such as %network")
    wanted = [compile_query(f"call in {name}" if name.startswith("%") else f"call == {name}") for name in names]
    return wanted[0] if len(wanted) == 1 else compile_query(" or ".join(query.text for query in wanted))
