"""Aligned columns of text: a heading, and rows of which the last cell may be long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

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

    On a narrow device the cells of a row for which no room is left follow on lines of their own.
    """
    shown = [[visible(cell) for cell in row] for row in rows]
    kept = [place for place in range(len(columns)) if any(row[place] for row in shown)]
    heads = [columns[place].head for place in kept]
    widths = [
        min(_WIDEST, max([len(head), *(len(row[place]) for row in shown)]))
        for head, place in zip(heads, kept, strict=True)
    ]
    rights = [columns[place].right for place in kept]
    styles = [columns[place].style for place in kept]
    room = None if width is None else width - indent
    _row(canvas, list(map(_padded, heads, widths, rights)), ["faint"] * len(kept), indent, room)
    for row in shown:
        _row(canvas, list(map(_padded, (row[place] for place in kept), widths, rights)), styles, indent, room)


def _row(canvas: Canvas, cells: Sequence[str], styles: Sequence[str], indent: int, room: int | None) -> None:
    """Print the cells side by side while there is room, and the others that have content below them."""
    side = _fitting(cells, room)
    beside = list(cells[:side])
    if side < len(cells):
        beside[-1] = cut(beside[-1].rstrip(), room)
    parts = [(f"{_GAP if place else ''}{cell}", styles[place]) for place, cell in enumerate(beside)]
    canvas.line((" " * indent, "plain"), *parts)
    below = [(cell.strip(), style) for cell, style in zip(cells[side:], styles[side:], strict=True) if cell.strip()]
    for line in _flowed(below, max((room or 0) - _INDENT, _NARROWEST)):
        canvas.line((" " * (indent + _INDENT), "plain"), *line)


def _flowed(cells: Iterable[tuple[str, str]], room: int) -> Iterator[list[tuple[str, str]]]:
    """Yield lines of that many columns: cells stand side by side while there is room, and long ones are broken."""
    line: list[tuple[str, str]] = []
    used = 0
    for cell, style in cells:
        if line and used + len(_GAP) + len(cell) <= room:
            line += [(_GAP, "plain"), (cell, style)]
            used += len(_GAP) + len(cell)
            continue
        if line:
            yield line
        *broken, last = wrap(cell, room)
        yield from ([(piece, style)] for piece in broken)
        line, used = [(last, style)], len(last)
    if line:
        yield line


def _fitting(cells: Sequence[str], room: int | None) -> int:
    """Return how many cells have room side by side; the first one always has."""
    if room is None:
        return len(cells)
    used = 0
    for place, cell in enumerate(cells):
        if place and cell.strip() and used + len(cell.rstrip()) > room:
            return place
        used += len(cell) + len(_GAP)
    return len(cells)


def cut(text: str, width: int | None) -> str:
    """Return the text in at most that many columns, with a mark where its end was cut off."""
    return text if width is None or len(text) <= width else f"{text[: max(width - 1, 0)]}…"


def _padded(cell: str, width: int, right: bool) -> str:
    return cell.rjust(width) if right else cell.ljust(width)
