"""Paints the chain of a finding: line numbers, times, the calls, and what each means."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tracediag.report.canvas import Canvas
from tracediag.report.shorten import shorten
from tracediag.results.findings import Step

_ROOM = 100
"""Columns for a call where no terminal says otherwise."""
_LEAST = 60
_GAP = 5
"""Fewer lines left out than this are not worth a line of their own."""


class _Columns(msgspec.Struct, frozen=True):
    """How wide the columns before the call are; 0 for a column that is not shown."""

    line: int
    pid: int
    time: int

    @property
    def indent(self) -> int:
        """The column in which the calls begin."""
        return 4 + self.line + 2 + sum(width + 2 for width in (self.pid, self.time) if width)


def paint_steps(canvas: Canvas, steps: Sequence[Step], width: int | None) -> None:
    """Paint the steps under each other; a call is shortened to the width, or to a usual one where there is none."""
    start = next((step.time for step in steps if step.time is not None), None)
    columns = _columns(steps, start)
    room = _ROOM if width is None else max(width - columns.indent, _LEAST)
    canvas.line((_heading(columns), "faint"))
    before: Step | None = None
    for number, step in enumerate(steps, start=1):
        if before is not None:
            _paint_gap(canvas, columns, step.line - (before.last_line or before.line) - 1)
        _paint_step(canvas, columns, step, start, room)
        canvas.line((" " * columns.indent, "plain"), ("└─ ", "faint"), (f"({number}) {step.note}", "remark"))
        before = step


def _columns(steps: Sequence[Step], start: float | None) -> _Columns:
    pids = {step.pid for step in steps if step.pid is not None}
    return _Columns(
        line=max(4, *(len(str(step.line)) for step in steps)) if steps else 4,
        pid=max(3, *(len(str(pid)) for pid in pids)) if len(pids) > 1 else 0,
        time=max(len(_elapsed(step, start)) for step in steps) if start is not None else 0,
    )


def _heading(columns: _Columns) -> str:
    cells = [f"{'line':>{columns.line}}"]
    cells += [f"{'pid':>{columns.pid}}"] if columns.pid else []
    cells += [f"{'time':>{columns.time}}"] if columns.time else []
    return "    " + "  ".join(cells)


def _paint_step(canvas: Canvas, columns: _Columns, step: Step, start: float | None, room: int) -> None:
    pid = "" if step.pid is None else str(step.pid)
    repeats = f"      × {step.repeats:,}, to line {step.last_line or step.line}" if step.repeats > 1 else ""
    canvas.line(
        ("  > " if step.primary else "    ", "error" if step.primary else "plain"),
        (f"{step.line:>{columns.line}}", "place"),
        (f"  {pid:>{columns.pid}}" if columns.pid else "", "plain"),
        (f"  {_elapsed(step, start):>{columns.time}}" if columns.time else "", "faint"),
        ("  ", "plain"),
        (shorten(step.text, room), "name" if step.primary else "plain"),
        (repeats, "warning"),
    )


def _paint_gap(canvas: Canvas, columns: _Columns, lines: int) -> None:
    if lines >= _GAP:
        canvas.line((f"    {'·':>{columns.line}}  {lines:,} lines", "faint"))


def _elapsed(step: Step, start: float | None) -> str:
    """Return the seconds since the first step, as `+0.001724`."""
    return "" if start is None or step.time is None else f"{step.time - start:+.6f}"
