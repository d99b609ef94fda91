"""The shapes of lives, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tracediag.report.base import Look
from tracediag.report.canvas import Canvas
from tracediag.report.document import dump
from tracediag.report.grid import Column, paint_grid
from tracediag.results.lives import LifeGroup, Lives, Shape
from tracediag.trace.quantities import count, plural

SCHEMA = "tracediag-lives/1"
"""The edition of the document."""

_COLUMNS = (
    Column("COUNT", right=True),
    Column("FIRST", "place", right=True),
    Column("EXAMPLE", "name"),
    Column("STEPS"),
)


def document(lives: Lives) -> str:
    """Return the lives as one JSON document on one line."""
    return dump({"schema": SCHEMA} | msgspec.to_builtins(lives))


def picture(lives: Lives, look: Look, limit: int = 0) -> str:
    """Return the lives as text: of each kind the common shape, then the rare ones, then all others.

    Args:
        lives: the lives.
        look: colour, characters and width.
        limit: so many rows of each list; 0: all.
    """
    canvas = Canvas(look)
    for number, group in enumerate(lives.groups):
        if number:
            canvas.blank()
        _group(canvas, group, look, limit)
    if not lives.groups:
        canvas.line(("no connection, child or opened file", "faint"))
    return canvas.take()


def _group(canvas: Canvas, group: LifeGroup, look: Look, limit: int) -> None:
    common = group.common
    number = "all" if common.count == group.count else count(common.count)
    canvas.line((f"{group.kind}: {count(group.count)}", "name"), (f", {number} of them:", "plain"))
    canvas.line((f"  {', '.join(common.steps)}", "plain"), (f"   first at line {count(common.first_line)}", "faint"))
    for head, shapes in (("rare:", group.odd), ("also:", group.others)):
        if not shapes:
            continue
        canvas.line((head, "label"))
        shown = shapes[:limit] if limit else shapes
        paint_grid(canvas, _COLUMNS, map(_row, shown), indent=2, width=look.width)
        if len(shapes) > len(shown):
            canvas.line((f"  {plural(len(shapes) - len(shown), 'more shape')}; -n 0 shows all", "faint"))
    if group.not_compared:
        canvas.line((f"  {count(group.not_compared)} more with other shapes", "faint"))


def _row(shape: Shape) -> Sequence[str]:
    steps = ", ".join(shape.steps)
    return (count(shape.count), count(shape.first_line), shape.example, steps)
