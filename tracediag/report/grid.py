"""Aligned columns of text: a heading, and rows of which the last cell may be long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from tracediag.report.canvas import Canvas
from tracediag.report.visible import visible
from tracediag.report.wrapping import wrap

_GAP = "  "
_WIDEST = 48
"""Columns of a cell that is not the last one; a longer cell pushes the rest of its row to the right."""
_INDENT = 4
_NARROWEST = 20


class Column(msgspec.Struct, frozen=True):
    """One column."""

    head: str
    style: str = "plain"
    right: bool = False
    """Whether it is right-aligned, as numbers are."""


def paint_grid(
    canvas: Canvas, columns: Sequence[Column], rows: Iterable[Sequence[str]], indent: int = 0, width: int | None = None
) -> None:
    """Print the rows below their heading; columns without content are left out.

    On a narrow device the last cell of a row that is too long follows on lines of its own.
    """
    shown = [[visible(cell) for cell in row] for row in rows]
    kept = [place for place in range(len(columns)) if any(row[place] for row in shown)]
    heads = [columns[place].head for place in kept]
    widths = [
        min(_WIDEST, max([len(head), *(len(row[place]) for row in shown)]))
        for head, place in zip(heads, kept, strict=True)
    ]
    rights = [columns[place].right for place in kept]
    canvas.line((" " * indent + _GAP.join(map(_padded, heads, widths, rights)), "faint"))
    margin = " " * indent
    for row in shown:
        *cells, last = map(_padded, (row[place] for place in kept), widths, rights)
        before = sum(len(cell) + len(_GAP) for cell in cells)
        fits = width is None or indent + before + len(last.rstrip()) <= width
        if width is not None and not fits:
            cells = _narrowed(cells, width - indent)
        styles = [columns[place].style for place in kept]
        parts = [(f"{_GAP if place else ''}{cell}", styles[place]) for place, cell in enumerate(cells)]
        canvas.line(
            (margin, "plain"), *parts, *([(_GAP if cells else "", "plain"), (last, styles[-1])] if fits else [])
        )
        for line in [] if fits else wrap(last.rstrip(), max((width or 0) - indent - _INDENT, _NARROWEST)):
            canvas.line((" " * (indent + _INDENT), "plain"), (line, styles[-1]))


def _narrowed(cells: list[str], room: int) -> list[str]:
    """Return the cells in that many columns: the last one is cut, the others stay aligned."""
    kept: list[str] = []
    for cell in cells:
        if room < 1:
            break
        kept.append(cut(cell.rstrip() if cell is cells[-1] else cell, room))
        room -= len(cell) + len(_GAP)
    return kept


def cut(text: str, width: int | None) -> str:
    """Return the text in at most that many columns, with a mark where its end was cut off."""
    return text if width is None or len(text) <= width else f"{text[: max(width - 1, 0)]}…"


def _padded(cell: str, width: int, right: bool) -> str:
    return cell.rjust(width) if right else cell.ljust(width)
