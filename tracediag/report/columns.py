"""The columns of a summary, and each row's cells as text; `summary_table` lays them out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from tracediag.results.tables import Row, Summary, Times
from tracediag.trace.quantities import seconds

_PARTS = {"call": "which errors", "process": "command"}
"""Heading of the last column; for any other table "which calls"."""
FIRST_TO_GO = ("which errors", "which calls", "p50", "p95", "mean", "no return", "% time", "max", "p99")
"""The columns that are dropped on a narrow terminal, in this order."""
_SHOWN = 3
"""How many parts of a row are named."""


class Column(msgspec.Struct, frozen=True):
    """One column."""

    head: str
    cell: Callable[[Row], str]
    number: bool = True
    """Whether it is right-aligned."""


def columns(summary: Summary) -> list[Column]:
    """Return the columns of a table; columns of times only if the trace shows durations."""
    found = list(_times(summary)) if summary.timed else [Column("% calls", _share_of_calls(summary))]
    found += [
        Column("calls", lambda row: f"{row.calls:,}"),
        Column("errors", lambda row: f"{row.errors:,}" if row.errors else ""),
    ]
    if summary.by == "error":
        del found[-1]
    if summary.total.never_returned:
        found.append(Column("no return", lambda row: f"{row.never_returned:,}" if row.never_returned else ""))
    found.append(Column(summary.by, lambda row: row.name, number=False))
    found.append(
        Column(
            _PARTS.get(summary.by, "which calls"),
            lambda row: row.note or ("" if summary.by == "process" else _parts(row)),
            number=False,
        )
    )
    return found


def _times(summary: Summary) -> Iterator[Column]:
    def column(head: str, value: Callable[[Times], str]) -> Column:
        return Column(head, lambda row: "" if row.times is None else value(row.times))

    def time(head: str, value: Callable[[Times], float | None]) -> Column:
        return column(head, lambda times: "" if (found := value(times)) is None else seconds(found))

    yield column("% time", lambda times: f"{100 * times.share:.2f}")
    yield time("total", lambda times: times.total)
    yield time("mean", lambda times: times.mean)
    if summary.total.times is not None and summary.total.times.p50 is not None:
        yield time("p50", lambda times: times.p50)
        yield time("p95", lambda times: times.p95)
        yield time("p99", lambda times: times.p99)
        yield time("max", lambda times: times.max)


def _share_of_calls(summary: Summary) -> Callable[[Row], str]:
    total = summary.total.calls or 1
    return lambda row: f"{100 * row.calls / total:.2f}"


def _parts(row: Row) -> str:
    named = [f"{part} {count:,}" for part, count in list(row.parts.items())[:_SHOWN]]
    return ", ".join((*named, "…") if len(row.parts) > _SHOWN else named)
