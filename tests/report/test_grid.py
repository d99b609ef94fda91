"""Columns stand side by side while there is room; on a narrow device the rest of a row follows below it."""

from __future__ import annotations

from tracediag.report import Look
from tracediag.report.canvas import Canvas
from tracediag.report.grid import Column, paint_grid

COLUMNS = (Column("FD", right=True), Column("BORN"), Column("WHAT"), Column("NOTE"))
ROWS = (
    ("3", "line 12 openat", "/var/log/app.log", ""),
    ("14", "before", "", ""),
    ("7", "line 3 socket", "TCP listener 127.0.0.1:80", "listening since line 5"),
)


def grid(width: int | None) -> list[str]:
    canvas = Canvas(Look(width=width))
    paint_grid(canvas, COLUMNS, ROWS, 2, width)
    return canvas.take().splitlines()


def test_without_a_width_each_row_is_one_line() -> None:
    assert grid(None) == [
        "  FD  BORN            WHAT                       NOTE",
        "   3  line 12 openat  /var/log/app.log",
        "  14  before",
        "   7  line 3 socket   TCP listener 127.0.0.1:80  listening since line 5",
    ]


def test_a_cell_without_room_follows_in_full_and_an_empty_one_takes_no_line() -> None:
    assert grid(56) == [
        "  FD  BORN            WHAT                       NOTE",
        "   3  line 12 openat  /var/log/app.log",
        "  14  before",
        "   7  line 3 socket   TCP listener 127.0.0.1:80",
        "      listening since line 5",
    ]
    assert grid(42) == [
        "  FD  BORN            WHAT",
        "      NOTE",
        "   3  line 12 openat  /var/log/app.log",
        "  14  before",
        "   7  line 3 socket",
        "      TCP listener 127.0.0.1:80",
        "      listening since line 5",
    ]


def test_cells_that_follow_stand_side_by_side_while_there_is_room() -> None:
    canvas = Canvas(Look(width=40))
    paint_grid(canvas, COLUMNS, [("3", "line 12 openat", "a path of 22 columns..", "read")], 0, 40)
    assert canvas.take().splitlines()[2:] == [" 3  line 12 openat", "    a path of 22 columns..  read"]


def test_no_line_is_longer_than_the_device() -> None:
    for width in range(26, 80):
        assert all(len(line) <= width for line in grid(width))
