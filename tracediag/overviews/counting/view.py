"""The base of all views: traces in, one table out."""

from __future__ import annotations

import abc
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from tracediag.overviews.counting.accounts import Accounts, row_of
from tracediag.overviews.counting.histogram import NANO
from tracediag.overviews.counting.sorting import sort_rows
from tracediag.overviews.sources import source_of
from tracediag.reading import Reader
from tracediag.results.tables import Source, Summary
from tracediag.trace.events import Syscall

Progress = Callable[[int], None]

MOST_ENDS = 1 << 16
"""How many distinct results are counted before they are added to the accounts."""
_SELDOM = 64


class View(abc.ABC):
    """Counts the calls of traces by a key."""

    by: str

    def __init__(self) -> None:
        self.accounts: Accounts[Any] = Accounts()
        self.elsewhere = 0
        self.sources: list[Source] = []

    def read(self, trace: str, progress: Progress | None = None) -> None:
        """Add a trace: a path, `-` for standard input, or the prefix of an `-ff` set.

        Raises `UnreadableError`; nothing of the trace is counted then.
        """
        fresh = type(self)()
        fresh.sources.append(source_of(trace, fresh.take(trace, progress)))
        self.absorb(fresh)

    def absorb(self, other: View) -> None:
        """Add the counts of another view of this kind."""
        self.accounts.absorb(other.accounts)
        self.elsewhere += other.elsewhere
        self.sources += other.sources

    def summary(self, sort: str | None = None, limit: int | None = None) -> Summary:
        """Return the current table; see `sort_rows`. Rows beyond the limit are left out, None means all."""
        total = self.accounts.total()
        total_ns = total.nanoseconds
        rows = sort_rows(self.accounts.rows(self.named, total_ns), sort)
        shown = rows if limit is None else rows[:limit]
        return Summary(
            by=self.by,
            sources=tuple(self.sources),
            rows=tuple(shown),
            total=row_of(total, "total", "", total_ns),
            timed=total.timed,
            left_out=len(rows) - len(shown),
            elsewhere=self.elsewhere,
        )

    @abc.abstractmethod
    def take(self, trace: str, progress: Progress | None) -> Reader:
        """Count the calls of a trace; return the reader, which is at its end."""

    def named(self, key: Any) -> tuple[str, str]:
        """Return name and note of a row."""
        return str(key), ""


class Groups(dict[str, dict[str, int]]):
    """The counts that `CallCounter` fills; `empty` collects them."""

    def __init__(self, empty: Callable[[], None]) -> None:
        super().__init__()
        self._empty = empty
        self._pieces = 0

    def __missing__(self, key: str) -> dict[str, int]:
        made = self[key] = self.make(key)
        return made

    def make(self, key: str) -> dict[str, int]:
        """Return the counts for a key seen for the first time."""
        del key
        return defaultdict(int)

    def settle(self) -> None:
        """Collect the counts if they have grown large."""
        self._pieces += 1
        if self._pieces % _SELDOM == 0 and self.size() > MOST_ENDS:
            self._empty()

    def size(self) -> int:
        """Return the number of distinct results counted."""
        return sum(map(len, self.values()))


def outcome_of(call: Syscall) -> tuple[str | None, int | None]:
    """Return the error and nanoseconds of a call that came as an event."""
    return call.errno, None if call.duration is None else round(call.duration * NANO)
