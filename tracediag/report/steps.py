"""Prints the chain of a finding: line numbers, times, the calls, and the meaning of each."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tracediag.report.canvas import Canvas
from tracediag.report.shorten import shorten
from tracediag.report.stacks import stack_of
from tracediag.report.visible import visible
from tracediag.report.wrapping import wrap
from tracediag.results.findings import Step
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.quantities import plural

_ROOM = 160
"""Minimum columns for a call, in a file, a pipe or a terminal: on a narrow one it is wrapped instead."""
_NARROWEST = 30
_GAP = 5
"""A gap of fewer lines than this is not worth a line of its own."""
_SAID = 300
"""Characters of a message that are always shown."""
_MESSAGE = lazy_pattern(
    r'(?:p?writev?|pwritev2|pwrite64|send|sendto|sendmsg)\((?:2[<,]|(?>[^"]*+"(?>[^"\\]++|\\.)*?\\n"(?!\.\.\.)))'
)
"""A record that shows a message of the program: a write to fd 2, or a buffer that is a line."""


class _Columns(msgspec.Struct, frozen=True):
    """The widths of the columns before the call; 0 for a column that is not shown."""

    line: int
    pid: int
    time: int

    @property
    def indent(self) -> int:
        """The column in which the calls begin."""
        return 4 + self.line + 2 + sum(width + 2 for width in (self.pid, self.time) if width)


def paint_steps(canvas: Canvas, steps: Sequence[Step], width: int | None) -> None:
    """Print the steps below each other; calls and notes are wrapped to the width, if there is one."""
    start = next((step for step in steps if step.time is not None), None)
    columns = _columns(steps, None if start is None else start.time)
    room = None if width is None else max(width - columns.indent, _NARROWEST)
    canvas.line((_heading(columns, start), "faint"))
    before: Step | None = None
    for number, step in enumerate(steps, start=1):
        if before is not None:
            _paint_gap(canvas, columns, step.line - (before.last_line or before.line) - 1)
        _paint_step(canvas, columns, step, None if start is None else start.time, room)
        _paint_note(canvas, columns, f"({number}) ", step.note, room)
        _paint_stack(canvas, columns, step, room)
        before = step


def _columns(steps: Sequence[Step], start: float | None) -> _Columns:
    pids = {step.pid for step in steps if step.pid is not None}
    return _Columns(
        line=max(4, *(len(str(step.line)) for step in steps)) if steps else 4,
        pid=max(3, *(len(str(pid)) for pid in pids)) if len(pids) > 1 else 0,
        time=max(len(_elapsed(step, start)) for step in steps) if start is not None else 0,
    )


def _heading(columns: _Columns, start: Step | None) -> str:
    """Return the heading, with the wall clock at which the relative times start."""
    cells = [f"{'line':>{columns.line}}"]
    cells += [f"{'pid':>{columns.pid}}"] if columns.pid else []
    cells += [f"{'time':>{columns.time}}"] if columns.time else []
    if start is not None and start.clock is not None:
        cells.append(f"from {start.clock.replace('T', ' ').replace('Z', ' UTC')}")
    return "    " + "  ".join(cells)


def _paint_step(canvas: Canvas, columns: _Columns, step: Step, start: float | None, room: int | None) -> None:
    pid = "" if step.pid is None else str(step.pid)
    style = "name" if step.primary else "plain"
    repeats = f"      × {step.repeats:,}, to line {step.last_line or step.line}" if step.repeats > 1 else ""
    first, *others = wrap(_call(step, room), room)
    fits = room is None or (not others and len(first) + len(repeats) <= room)
    canvas.line(
        ("  > " if step.primary else "    ", "error" if step.primary else "plain"),
        (f"{step.line:>{columns.line}}", "place"),
        (f"  {pid:>{columns.pid}}" if columns.pid else "", "plain"),
        (f"  {_elapsed(step, start):>{columns.time}}" if columns.time else "", "faint"),
        ("  ", "plain"),
        (first, style),
        (repeats if fits else "", "warning"),
    )
    margin = " " * columns.indent
    for line in others:
        canvas.line((margin, "plain"), (line, style))
    if not fits and repeats:
        canvas.line((margin, "plain"), (repeats.strip(), "warning"))


def _call(step: Step, room: int | None) -> str:
    """Return the record, made visible and shortened; of a program's message the first 300 characters are kept."""
    said = _SAID if _MESSAGE.match(step.text) is not None else 0
    return shorten(visible(step.text), max(room or 0, _ROOM), said)


def _paint_note(canvas: Canvas, columns: _Columns, number: str, note: str, room: int | None) -> None:
    hook = "└─ "
    indent = len(hook) + len(number)
    lines = wrap(note, None if room is None else max(room - indent, _NARROWEST))
    canvas.line((" " * columns.indent, "plain"), (hook, "faint"), (number + lines[0], "remark"))
    for line in lines[1:]:
        canvas.line((" " * (columns.indent + indent), "plain"), (line, "remark"))


def _paint_stack(canvas: Canvas, columns: _Columns, step: Step, room: int | None) -> None:
    """Print where in the program a step was, below its note."""
    if not step.stack or not (text := stack_of(step.stack)):
        return
    for number, line in enumerate(wrap(f"at {text}", None if room is None else max(room - 3, _NARROWEST))):
        canvas.line((" " * (columns.indent + (6 if number else 3)), "plain"), (line, "place"))


def _paint_gap(canvas: Canvas, columns: _Columns, lines: int) -> None:
    if lines >= _GAP:
        canvas.line((f"    {'·':>{columns.line}}  {plural(lines, 'line')}", "faint"))


def _elapsed(step: Step, start: float | None) -> str:
    """Return the seconds since the first step, as `+0.001724`."""
    return "" if start is None or step.time is None else f"{step.time - start:+.6f}"
