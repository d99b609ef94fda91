"""The life of one object, for people and for programs, and its data as a stream."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import msgspec

from tracediag.report.base import Look
from tracediag.report.canvas import Canvas
from tracediag.report.document import dump
from tracediag.report.grid import Column, paint_grid
from tracediag.report.shorten import shorten
from tracediag.report.streams import Turn, turns
from tracediag.report.visible import visible
from tracediag.results.following import End, Happening, Life
from tracediag.trace.quantities import size

SCHEMA = "tracediag-life/1"
"""The edition of the document."""

_CALL = 140
"""Columns of a call."""
_SHOWN = 12
"""Ends that are described; a peer may have thousands."""
_ENDS = (
    Column("END", "label"),
    Column("WHAT", "name"),
    Column("BORN", "place", right=True),
    Column("CLOSED", "place", right=True),
    Column("WRITTEN", right=True),
    Column("READ", right=True),
    Column("UNSEEN", "faint", right=True),
)
_COLUMNS = (
    Column("LINE", "place", right=True),
    Column("TIME", "faint", right=True),
    Column("PID", right=True),
    Column("END", "label"),
    Column("", "remark"),
    Column("CALL"),
)


def document(life: Life) -> str:
    """Return the life as one JSON document on one line; data is base64."""
    return dump({"schema": SCHEMA} | _built(life))


def _built(life: Life) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(life, builtin_types=(bytes,))
    for end in built["ends"]:
        for chunk in end["chunks"]:
            for piece in chunk["pieces"]:
                piece["data"] = base64.b64encode(piece["data"]).decode("ascii")
    return built


def picture(life: Life, look: Look) -> str:
    """Return the life as lines of text."""
    canvas = Canvas(look)
    if life.ends:
        paint_grid(canvas, _ENDS, [_end(end) for end in life.ends[:_SHOWN]], 0, look.width)
        if len(life.ends) > _SHOWN:
            canvas.line((f"… and {len(life.ends) - _SHOWN:,} more", "faint"))
        canvas.blank()
    gap = len(life.happenings) // 2 + len(life.happenings) % 2 if life.left_out else len(life.happenings)
    rows = [_row(each, life.start) for each in life.happenings]
    paint_grid(canvas, _COLUMNS, rows[:gap], 0, look.width)
    if life.left_out:
        canvas.line((f"… {life.left_out:,} more: --limit 0 shows all", "faint"))
        paint_grid(canvas, _COLUMNS, rows[gap:], 0, look.width)
    return canvas.take()


def _end(end: End) -> tuple[str, ...]:
    return (
        end.name,
        end.what or end.kind,
        "before" if end.line is None else f"{end.line:,}",
        "never" if end.closed_line is None else f"{end.closed_line:,}",
        *(f"{number:,}" if number else "" for number in (end.sent, end.received, end.unseen)),
    )


def _row(each: Happening, start: float | None) -> tuple[str, ...]:
    time = "" if each.time is None or start is None else f"+{each.time - start:.6f}"
    repeats = f"  × {each.repeats:,}, to line {each.last_line:,}" if each.repeats > 1 and each.last_line else ""
    call = shorten(visible(each.text), _CALL)
    return (f"{each.line:,}", time, "" if each.pid is None else str(each.pid), each.end, each.note, call + repeats)


def stream(life: Life, look: Look) -> str:
    """Return the data of the life in order, each turn below a line that says where it went, with its gaps."""
    canvas = Canvas(look)
    for turn in turns(life.ends):
        unseen = f", {turn.missing:,} not shown" if turn.missing else ""
        canvas.line(
            (f"{turn.title}", "label"),
            (f"   line {turn.line:,}", "place"),
            (f"   {size(turn.length)}{unseen}", "faint"),
        )
        for line in _lines(turn):
            canvas.line((f"  {line}", "plain"))
    return canvas.take() or "no data\n"


def _lines(turn: Turn) -> Iterator[str]:
    """Yield the text of a turn by lines, its ends of lines visible where they are not a plain newline."""
    text = ""
    for piece in turn.pieces:
        text += piece.data.decode("utf-8", "surrogateescape")
        if piece.missing:
            text += f"[… {size(piece.missing)} not shown: strace cut the string; record with a larger -s]\n"
    lines = text.split("\n")
    yield from lines[:-1]
    if lines[-1]:
        yield lines[-1]
