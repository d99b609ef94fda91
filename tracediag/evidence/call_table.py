"""What a table of `strace -c` proves: how often each call was made and failed, without order, arguments or errors.

Such a table holds the sums of all processes and threads, so that a claim from it is *possible* at most: it says what
to record to know more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from tracediag.results.findings import Step, step
from tracediag.trace.quantities import count, plural
from tracediag.trace.records import CountRow

_MANY = 1000
"""Calls of one name that the searches of a start do not reach: a compiler's or an interpreter's take some hundreds."""
_NEARLY_ALL = 0.95
"""The share of failures of a call that never gets on."""
_TOP = 3
"""Rows that are named as the top of the table."""
_SHARE = 0.2
"""The share in all calls of one that fills a loop: a turn has at most a few other calls."""


class CallCount(msgspec.Struct):
    """The row of one call; rows of several tables are added up."""

    row: CountRow
    """The first of them."""
    calls: int
    errors: int
    nanoseconds: int | None

    @property
    def name(self) -> str:
        """The name of the call."""
        return self.row.name

    @property
    def done(self) -> int:
        """How many of the calls succeeded."""
        return max(0, self.calls - self.errors)

    def step(self, *, primary: bool = False) -> Step:
        """Return the step that shows the row."""
        failed = f", {'all' if self.errors == self.calls else count(self.errors)} failed" if self.errors else ""
        return step(self.row, f"{plural(self.calls, 'call')}{failed}", primary=primary)


class CallTable:
    """The rows of a trace's tables; false where it has none."""

    def __init__(self) -> None:
        self._rows: dict[str, CallCount] = {}

    def __bool__(self) -> bool:
        return bool(self._rows)

    def __iter__(self) -> Iterator[CallCount]:
        return iter(self._rows.values())

    def add(self, row: CountRow) -> None:
        """Add a row; a table may be one of several, as for each personality."""
        known = self._rows.get(row.name)
        if known is None:
            self._rows[row.name] = CallCount(row, row.calls, row.errors, row.nanoseconds)
            return
        known.calls += row.calls
        known.errors += row.errors
        if row.nanoseconds is not None:
            known.nanoseconds = (known.nanoseconds or 0) + row.nanoseconds

    @property
    def calls(self) -> int:
        """The number of all calls."""
        return sum(row.calls for row in self)

    def described(self) -> str:
        """Return what the table is and what stands at its top, in one sentence."""
        rows, errors = list(self), sum(row.errors for row in self)
        failed = f", {count(errors)} failed" if errors else ""
        parts = [f"a table of strace -c: {plural(self.calls, 'call')}{failed}; it shows no single call"]
        total = sum(row.nanoseconds or 0 for row in rows)
        if total:
            slow = sorted(rows, key=lambda row: -(row.nanoseconds or 0))[:_TOP]
            slow = [row for row in slow if 100 * (row.nanoseconds or 0) >= total] or slow[:1]
            parts.append("most time: " + ", ".join(f"{row.name} ({_percent(row, total)})" for row in slow))
        often = sorted(rows, key=lambda row: -row.calls)[:_TOP]
        parts.append("most calls: " + ", ".join(f"{row.name} ({count(row.calls)})" for row in often))
        failing = sorted((row for row in rows if row.errors), key=lambda row: -row.errors)[:_TOP]
        if failing:
            parts.append("most failures: " + ", ".join(_failures(row) for row in failing))
        return "; ".join(parts)

    def of(self, names: Collection[str]) -> list[CallCount]:
        """Return the rows of the calls of these names, the most frequent first."""
        return sorted((row for row in self if row.name in names), key=lambda row: -row.calls)

    def made(self, names: Collection[str]) -> int:
        """Return how many calls of these names were made."""
        return sum(row.calls for row in self.of(names))

    def fails(self, row: CallCount) -> bool:
        """Whether nearly all of many calls failed, and they fill what the program does."""
        return row.calls >= _MANY and row.errors >= _NEARLY_ALL * row.calls and row.calls >= _SHARE * self.calls


def _percent(row: CallCount, total: int) -> str:
    return f"{100 * (row.nanoseconds or 0) / total:.0f} %"


def _failures(row: CallCount) -> str:
    return f"{row.name} ({'all ' if row.errors == row.calls else ''}{count(row.errors)}{_of(row)})"


def _of(row: CallCount) -> str:
    return "" if row.errors == row.calls else f" of {count(row.calls)}"


def closer(*names: str) -> str:
    """Return the strace command that shows the arguments and errors of a call for a moment."""
    return f"timeout 2 strace -f -ttt -T -yy -e trace={','.join(names)} -o run.strace -p PID"
