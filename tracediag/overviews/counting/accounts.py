"""The rows while they are counted: one account per key, bounded in number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Generic, TypeVar

import msgspec

from tracediag.overviews.counting.histogram import NANO, Histogram, nanoseconds_of
from tracediag.reading.counter import read_end
from tracediag.results.tables import Row, Times
from tracediag.trace.records import CountRow

MOST_ACCOUNTS = 1 << 14
"""At most this many separate rows; calls with later keys are counted together, as `OTHERS`."""
MOST_PARTS = 256
OTHERS = "(others)"

Key = TypeVar("Key")


@lru_cache(maxsize=1 << 15)
def outcome(end: str) -> tuple[str | None, int | None]:
    """Return the error and the nanoseconds of a call, from the text after its result."""
    error, took = read_end(end)
    return error, None if took is None else nanoseconds_of(took)


class Account(msgspec.Struct):
    """The call counts of one row."""

    calls: int = 0
    errors: int = 0
    never_returned: int = 0
    histogram: Histogram = msgspec.field(default_factory=Histogram)
    parts: dict[str, int] = msgspec.field(default_factory=dict)
    summed: int | None = None
    """Nanoseconds of calls that a table of `strace -c` counts: only their sum is known."""

    @property
    def nanoseconds(self) -> int:
        """The time of all calls that show it."""
        return self.histogram.total + (self.summed or 0)

    @property
    def timed(self) -> bool:
        """Whether any call shows its time."""
        return self.histogram.count > 0 or self.summed is not None

    def add_row(self, row: CountRow) -> None:
        """Add the calls of a row of `strace -c`."""
        self.calls += row.calls
        self.errors += row.errors
        if row.nanoseconds is not None:
            self.summed = (self.summed or 0) + row.nanoseconds

    def add(self, error: str | None, nanoseconds: int | None, part: str | None, count: int = 1) -> None:
        """Add calls that returned: their error, the duration of each, and their part of the row."""
        self.calls += count
        if error is not None:
            self.errors += count
        if nanoseconds is not None:
            self.histogram.add(nanoseconds, count)
        if part is not None:
            self._add_part(part, count)

    def add_ends(self, ends: Mapping[str, int]) -> None:
        """Add calls by the text after their results; the parts are the errors."""
        took: list[tuple[int, int]] = []
        for end, count in ends.items():
            error, nanoseconds = outcome(end)
            self.calls += count
            if error is not None:
                self.errors += count
                self._add_part(error, count)
            if nanoseconds is not None:
                took.append((nanoseconds, count))
        self.histogram.add_all(took)

    def lose(self, part: str | None) -> None:
        """Add a call that never returned."""
        self.never_returned += 1
        self.add(None, None, part)

    def merge(self, other: Account) -> None:
        """Add the counts of another account."""
        self.calls += other.calls
        self.errors += other.errors
        self.never_returned += other.never_returned
        self.histogram.merge(other.histogram)
        if other.summed is not None:
            self.summed = (self.summed or 0) + other.summed
        for part, count in other.parts.items():
            self._add_part(part, count)

    def _add_part(self, part: str, count: int) -> None:
        if part not in self.parts and len(self.parts) >= MOST_PARTS:
            part = OTHERS
        self.parts[part] = self.parts.get(part, 0) + count


class Accounts(Generic[Key]):
    """The accounts of a table by key."""

    def __init__(self) -> None:
        self._accounts: dict[Key, Account] = {}
        self._others: Account | None = None

    def __getitem__(self, key: Key) -> Account:
        """Return the account of a key, creating it if necessary."""
        found = self._accounts.get(key)
        if found is not None:
            return found
        if len(self._accounts) >= MOST_ACCOUNTS:
            self._others = self._others or Account()
            return self._others
        made = self._accounts[key] = Account()
        return made

    def absorb(self, other: Accounts[Key]) -> None:
        """Add the counts of other accounts, which must not be used afterwards."""
        if not self._accounts:
            self._accounts, self._others = other._accounts, other._others
            return
        for key, account in other._accounts.items():
            self[key].merge(account)
        if other._others is not None:
            self._others = self._others or Account()
            self._others.merge(other._others)

    def total(self) -> Account:
        """Return the sum of all accounts."""
        total = Account()
        for account in (*self._accounts.values(), *filter(None, (self._others,))):
            total.merge(account)
        return total

    def rows(self, named: Callable[[Key], tuple[str, str]], total_ns: int) -> Iterator[Row]:
        """Yield the rows; `named` returns name and note of a key, `total_ns` is the time of all rows."""
        for key, account in self._accounts.items():
            yield row_of(account, *named(key), total_ns)
        if self._others is not None:
            yield row_of(self._others, OTHERS, "", total_ns)


def row_of(account: Account, name: str, note: str, total_ns: int) -> Row:
    """Return the finished row; `total_ns` is the time of all rows."""
    parts = sorted(account.parts.items(), key=lambda part: (-part[1], part[0]))
    return Row(
        name=name,
        note=note,
        calls=account.calls,
        errors=account.errors,
        never_returned=account.never_returned,
        times=_times(account, total_ns),
        parts=dict(parts),
    )


def _times(account: Account, total_ns: int) -> Times | None:
    if not account.timed:
        return None
    share = account.nanoseconds / total_ns if total_ns else 0.0
    mean = account.nanoseconds / account.calls / NANO if account.calls else 0.0
    if account.summed is not None:
        return Times(total=account.nanoseconds / NANO, share=share, mean=mean)
    histogram = account.histogram
    p50, p95, p99 = (found / NANO for found in histogram.percentiles(50, 95, 99))
    return Times(
        total=histogram.total / NANO,
        share=share,
        mean=histogram.total / histogram.count / NANO,
        p50=p50,
        p95=p95,
        p99=p99,
        max=histogram.greatest / NANO,
    )
