"""The list of what a query reads, for `tracediag grep --names`: from the same definitions that the compiler uses."""

from __future__ import annotations

from tracediag.query import CLASSES, NAMES, OBJECTS
from tracediag.query.history import EARLIER
from tracediag.query.types import OPERATORS, Type
from tracediag.report import Look
from tracediag.report.canvas import Canvas
from tracediag.report.grid import Column, paint_grid


def listing(look: Look) -> str:
    """Return the names, the classes of calls and the objects of sequences as tables."""
    canvas = Canvas(look)
    rows = [[each.name, _type(each.type, each.unit), _operators(each.type), each.doc] for each in NAMES.values()]
    rows.append(['arg("name")', str(Type.ANY), _operators(Type.ANY), "an argument by its name in the manual"])
    rows += [[each.name, _type(each.type, ""), _operators(each.type), each.doc] for each in EARLIER.values()]
    columns = (Column("NAME", "name"), Column("TYPE"), Column("COMPARED BY", "faint"), Column("MEANING"))
    paint_grid(canvas, columns, rows, width=look.width)
    canvas.blank()
    classes = [[each.name, f"{len(each.calls)}", each.doc] for each in CLASSES.values()]
    heads = (Column("CLASS", "name"), Column("CALLS", right=True), Column("THAT"))
    paint_grid(canvas, heads, classes, width=look.width)
    canvas.blank()
    objects = [[each.name, each.doc] for each in OBJECTS.values()]
    paint_grid(canvas, (Column("BY", "name"), Column("MEANING")), objects, width=look.width)
    return canvas.take()


def _type(kind: Type, unit: str) -> str:
    return f"{kind} ({unit})" if unit else str(kind)


def _operators(kind: Type) -> str:
    return " ".join(OPERATORS[kind]).strip() or "alone"
