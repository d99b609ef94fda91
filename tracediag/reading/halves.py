"""The first halves of calls, which `join` keeps until they are resumed."""

from __future__ import annotations

import msgspec

MOST_GONE = 1024
"""Number of stale entries above which the index is rebuilt."""

Key = str
"""The pid as the trace prints it, "" without one: the scanner need not convert it to a number."""

ENDLESS = frozenset(("exit", "exit_group", "_exit"))
"""Calls that never return: no result can be theirs."""


def key_of(pid: int | None) -> Key:
    """Return the key of a pid; None stands for the only process of a trace without pids."""
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
    """As recorded, up to the mark and the blanks before it, including the comma of older dialects."""
    wanted: bool = True
    """Whether a `Begun` was yielded: the complete call must follow, whatever it returns."""
    cut: bool = False
    """Whether the record breaks off within the call: see `Syscall.cut`."""
    moved: int = 0
    """The line that returned it to the pending halves; 0 if it has been pending since its own line."""


class Latest:
    """Finds the latest pending half of a name without scanning all of them each time.

    The loop that reads lines starts halves and has no index by name. So each half is indexed here when it is first
    searched for, and dropped when a later search finds it resumed.
    """

    def __init__(self, pending: dict[Key, Half]) -> None:
        self._pending = pending
        self._by_name: dict[str, list[Half]] = {}
        self._entered = 0
        self._until = 0
        """The last line whose half is indexed."""

    def of(self, name: str) -> Half | None:
        """Return the latest half of that name; None if no call of that name is pending."""
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
