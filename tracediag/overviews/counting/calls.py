"""By call, and by error: like `strace -c`, without an event for every line."""

from __future__ import annotations

from tracediag.overviews.counting.accounts import outcome
from tracediag.overviews.counting.view import Groups, Progress, View, outcome_of
from tracediag.reading import Reader
from tracediag.reading.counter import CallCounter
from tracediag.trace.events import Syscall
from tracediag.trace.records import CountRow


class CallView(View):
    """One row per call; its parts are the errors."""

    by = "call"

    def __init__(self) -> None:
        super().__init__()
        self._groups = Groups(self._empty)

    def take(self, trace: str, progress: Progress | None) -> Reader:
        """Count the calls of a trace; return the reader, which is at its end."""
        counter = CallCounter(trace, self._groups, progress=progress)
        table: list[CountRow] = []
        for event in counter:
            if isinstance(event, CountRow):
                table.append(event)
            elif isinstance(event, Syscall):
                if event.returned:
                    self._add(event.name, *outcome_of(event), 1)
                else:
                    self._lose(event.name)
        self._empty()
        if not counter.counts.calls:  # the table of strace -C counts the calls above it once more
            for row in table:
                self._add_row(row)
        return counter

    def _empty(self) -> None:
        """Add the counts to the accounts."""
        for name, ends in self._groups.items():
            for end, count in ends.items():
                error, took = outcome(end)
                self._add(name, error, took, count)
        self._groups.clear()

    def _add(self, name: str, error: str | None, took: int | None, count: int) -> None:
        self.accounts[name].add(error, took, error, count)

    def _lose(self, name: str) -> None:
        self.accounts[name].lose(None)

    def _add_row(self, row: CountRow) -> None:
        self.accounts[row.name].add_row(row)


_UNNAMED = "(not shown)"
"""The error of the failures in a table of `strace -c`."""


class ErrorView(CallView):
    """One row per error; its parts are the calls that failed with it."""

    by = "error"

    def _add(self, name: str, error: str | None, took: int | None, count: int) -> None:
        if error is None:
            self.elsewhere += count
        else:
            self.accounts[error].add(error, took, name, count)

    def _lose(self, name: str) -> None:
        del name
        self.elsewhere += 1

    def _add_row(self, row: CountRow) -> None:
        self.elsewhere += max(0, row.calls - row.errors)
        if row.errors:
            self.accounts[_UNNAMED].add(None, None, row.name, row.errors)
