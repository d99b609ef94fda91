"""A summary for a person, as a table on a terminal and aligned columns elsewhere; and for a program, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tracediag.report.base import Look
from tracediag.report.columns import FIRST_TO_GO, Column, columns
from tracediag.report.document import dump
from tracediag.report.visible import visible
from tracediag.results.tables import Row, Summary

if TYPE_CHECKING:
    from rich.table import Table

SCHEMA = "tracediag-summary/1"
"""The edition of the document."""

_ASCII = str.maketrans({"…": "~", "µ": "u"})
_GAP = "  "
_NAME = 28
"""A name gets this many columns of a terminal, if it needs them, before numeric columns are dropped."""


def document(summary: Summary) -> str:
    """Return the summary as one JSON document on one line."""
    built = msgspec.to_builtins(summary)
    built["rows"] = [_flat(row) for row in built["rows"]]
    built["total"] = _flat(built["total"])
    return dump({"schema": SCHEMA, **built})


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Merge the times into the row; without times, their fields are absent."""
    times = row.pop("times")
    return row | (times or {})


def table(summary: Summary, look: Look) -> str:
    """Return the summary for a device: a table if there is a width to fit, else lines of aligned columns."""
    shown = columns(summary)
    if look.width is None:
        painted = _aligned(summary, shown, look)
    else:
        painted = _boxed(summary, _fitting(summary, shown, look, look.width), look)
    return painted + "".join(f"{_shown(remark, look)}\n" for remark in _remarks(summary))


def _remarks(summary: Summary) -> list[str]:
    found = []
    if summary.left_out:
        found.append(f"{summary.left_out:,} more {'row' if summary.left_out == 1 else 'rows'}: --limit 0 shows all")
    if summary.elsewhere:
        without = {"error": "without an error", "file": "on no file or descriptor", "peer": "without a known peer"}
        calls = "call" if summary.elsewhere == 1 else "calls"
        found.append(f"{summary.elsewhere:,} {calls} {without.get(summary.by, 'elsewhere')}")
    counted = summary.total.calls > 0 and not any(source.calls for source in summary.sources)
    if counted and summary.timed:
        found.append("from a table of strace -c: CPU time in the kernel, or wall-clock time if recorded with -w")
    elif counted:
        found.append("from a table of strace -c")
    elif not summary.timed:
        found.append("no times: the trace was recorded without strace -T")
    return found


def _shown(text: str, look: Look) -> str:
    text = visible(text)
    if not look.ascii_only:
        return text
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode()


def _cells(row: Row, shown: list[Column], look: Look) -> list[str]:
    return [_shown(column.cell(row), look) for column in shown]


def _aligned(summary: Summary, shown: list[Column], look: Look) -> str:
    """Return lines suitable for a search or a column filter; nothing is truncated or folded."""
    lines = [[_shown(column.head, look) for column in shown]]
    lines += [_cells(row, shown, look) for row in (*summary.rows, summary.total)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(shown))]
    lines.insert(1, ["-" * width for width in widths])
    lines.insert(-1, lines[1])
    return "".join(
        _GAP.join(
            cell.rjust(width) if column.number else cell.ljust(width)
            for cell, width, column in zip(line, widths, shown, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )


def _fitting(summary: Summary, shown: list[Column], look: Look, room: int) -> list[Column]:
    """Return the columns that fit the terminal; a number is never truncated."""
    kept = list(shown)
    for head in FIRST_TO_GO:
        if sum(_width(summary, column, look) + len(_GAP) for column in kept) - len(_GAP) <= room:
            break
        kept = [column for column in kept if column.head != head]
    return kept


def _width(summary: Summary, column: Column, look: Look) -> int:
    """Return the width of a column; a column of names may be folded."""
    cells = [column.cell(row) for row in (*summary.rows, summary.total)]
    widest = max(len(_shown(cell, look)) for cell in (column.head, *cells))
    return widest if column.number else min(widest, _NAME)


def _boxed(summary: Summary, shown: list[Column], look: Look) -> str:
    from tracediag.report.console import console_of, take  # noqa: PLC0415 - only a terminal needs it

    console = console_of(look)
    console.print(_rich_table(summary, shown, look))
    return "".join(f"{line.rstrip()}\n" for line in take(console).splitlines())


def _rich_table(summary: Summary, shown: list[Column], look: Look) -> Table:
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    ruled = not look.ascii_only  # the rule uses one of the blanks between columns
    made = Table(
        box=box.SIMPLE_HEAD if ruled else None,
        show_edge=False,
        pad_edge=False,
        padding=(0, len(_GAP) - ruled, 0, 0),
        header_style="bold",
    )
    for column in shown:
        made.add_column(
            Text(_shown(column.head, look)),
            justify="right" if column.number else "left",
            no_wrap=column.number,
            overflow="fold",
        )
    for row in summary.rows:
        made.add_row(*(Text(cell) for cell in _cells(row, shown, look)))
    made.add_row(*(Text(cell) for cell in _cells(summary.total, shown, look)), style="bold")
    return made
