"""`summary` of a table that `strace -c` printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.overviews import summarise
from tracediag.reading import read
from tracediag.trace.records import CountRow

RECORDED = Path(__file__).parent / "recorded"


def total_of(path: Path) -> tuple[int, int]:
    """Return the calls and errors of the table's own last line."""
    line = next(line for line in path.read_text().splitlines() if "total" in line.split())
    numbers = [int(cell) for cell in line.split() if cell.isdigit()]
    return numbers[-2], numbers[-1]


@pytest.mark.parametrize("name", ["default", "columns"])
def test_the_rows_add_up_to_the_total_of_the_table(name: str) -> None:
    path = RECORDED / f"counts.{name}.strace"
    total = summarise(str(path)).total
    assert (total.calls, total.errors) == total_of(path)


def test_times_are_the_sums_and_means_of_the_table() -> None:
    summary = summarise(str(RECORDED / "counts.wall.strace"))
    top = summary.rows[0]
    assert (top.name, top.calls) == ("clock_nanosleep", 1)
    assert top.times is not None
    assert top.times.total > 0.05
    assert (top.times.mean, top.times.p50, top.times.max) == (top.times.total, None, None)
    assert summary.timed


def test_calls_that_a_trace_shows_are_not_counted_twice() -> None:
    path = RECORDED / "counts.both.strace"
    shown = path.read_text().count("mmap(")
    (mmap,) = [row for row in summarise(str(path)).rows if row.name == "mmap"]
    assert mmap.calls == shown


def test_errors_of_a_table_have_no_name() -> None:
    summary = summarise(str(RECORDED / "counts.default.strace"), "error")
    (row,) = summary.rows
    assert (row.name, row.calls) == ("(not shown)", total_of(RECORDED / "counts.default.strace")[1])
    assert row.parts == {"access": 1, "wait4": 1}


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("  0.00    0.000000           0         1           write", ("write", 1, 0, 0)),
        ("100.00    0.002215         276         8         3 wait4", ("wait4", 8, 3, 2_215_000)),
        (
            " 99.91 12345.002215   1234567 123456789 123456789 read",
            ("read", 123_456_789, 123_456_789, 12345_002_215_000),
        ),
        (" 50,00    0,000010           5         2           open", ("open", 2, 0, 10_000)),  # a locale
    ],
)
def test_a_row_without_the_head_of_its_table(line: str, row: tuple[str, int, int, int]) -> None:
    (event,) = (event for event in read(["getpid() = 7\n", f"{line}\n"]) if isinstance(event, CountRow))
    assert (event.name, event.calls, event.errors, event.nanoseconds) == row
