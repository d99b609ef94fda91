"""The first halves of calls, and where they stand: what `join` keeps until they are resumed."""

from __future__ import annotations

import msgspec

MOST_GONE = 1024
"""Entries of halves that were resumed since; with more of them all are entered again."""

Key = str
"""The pid as the trace prints it, "" without one: the scanner need not turn it into a number."""


def key_of(pid: int | None) -> Key:
    """Return the key of a pid; None is the only process of a trace without pids."""
    return "" if pid is None else str(pid)


class Place(msgspec.Struct):
    """Where a record stands."""

    line: int
    pid: int | None = None
    time: float | None = None


class Half(msgspec.Struct):
    """The first half of a call."""

    line: int
    pid: int | None
    time: float | None
    name: str
    body: str
    """As recorded, up to the mark and the blanks before it: the comma of older dialects is still there."""
    wanted: bool = True
    """Whether a `Begun` went out, and a whole call is to follow whatever it returns."""
    moved: int = 0
    """The line that put it back among the pending ones; 0 where it is there since its own line."""


class Latest:
    """Finds the pending half of a name that came last, without a walk over all of them for each.

    Halves begin in the loop that reads lines, which keeps no books of names. So each half is entered here when it is
    first searched for, and found to be gone when it is searched for later.
    """

    def __init__(self, pending: dict[Key, Half]) -> None:
        self._pending = pending
        self._by_name: dict[str, list[Half]] = {}
        self._entered = 0
        self._until = 0
        """The line up to which halves are entered."""

    def of(self, name: str) -> Half | None:
        """Return the latest half of that name; None where no call of that name is pending."""
        self._enter()
        halves = self._by_name.get(name, [])
        while halves:
            if self._pending.get(key_of(halves[-1].pid)) is halves[-1]:
                return halves[-1]
            halves.pop()
            self._entered -= 1
        return None

    def _enter(self) -> None:
        if self._entered > 2 * len(self._pending) + MOST_GONE:
            self._by_name.clear()
            self._entered = self._until = 0
        fresh: list[Half] = []
        for half in reversed(self._pending.values()):
            if (half.moved or half.line) <= self._until:
                break
            fresh.append(half)
        for half in reversed(fresh):
            self._by_name.setdefault(half.name, []).append(half)
        if fresh:
            self._until = fresh[0].moved or fresh[0].line
            self._entered += len(fresh)
