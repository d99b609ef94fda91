"""Why a program printed a message, for people and for programs."""

from __future__ import annotations

import posixpath

import msgspec

from tracediag.report.base import Look
from tracediag.report.canvas import Canvas
from tracediag.report.document import dump
from tracediag.report.steps import paint_steps
from tracediag.report.visible import visible
from tracediag.report.wrapping import wrap
from tracediag.results.cause import Cause, Origin

SCHEMA = "tracediag-cause/1"
"""The edition of the document."""

_STYLES = {Origin.FAILED_CALL: "error", Origin.CHILD: "error", Origin.READ: "warning", Origin.OWN: "remark"}
_TEXT = 400
"""Characters of the message."""
_LABEL = 9
_NARROWEST = 30


def document(cause: Cause) -> str:
    """Return the answer as one JSON document on one line."""
    return dump({"schema": SCHEMA} | msgspec.to_builtins(cause))


def picture(cause: Cause, look: Look) -> str:
    """Return the answer as text."""
    canvas = Canvas(look)
    program = posixpath.basename(cause.program or "")
    who = "the process" if cause.pid is None else f"pid {cause.pid}"
    again = "" if cause.times < 2 else f"; {cause.times:,} times, the last at line {cause.last_line or cause.line:,}"
    _label(canvas, look, "because", f"{cause.reason}   confidence: {cause.confidence}", _STYLES[cause.origin])
    printed = f"{who}{f' ({program})' if program else ''} at line {cause.line:,}, to {cause.where}{again}"
    _label(canvas, look, "printed", printed)
    text = visible(cause.text)
    _label(canvas, look, "text", text if len(text) <= _TEXT else f"{text[:_TEXT]}…")
    if not cause.complete:
        _label(canvas, look, "", "only the beginning of the words is shown: strace cut the string (-s)", "warning")
    canvas.blank()
    paint_steps(canvas, cause.steps, look.width)
    return canvas.take()


def _label(canvas: Canvas, look: Look, label: str, text: str, style: str = "plain") -> None:
    room = None if look.width is None else max(look.width - _LABEL - 2, _NARROWEST)
    first, *others = wrap(text, room)
    canvas.line((f"  {label:<{_LABEL}}", "label"), (first, style))
    for line in others:
        canvas.line((" " * (_LABEL + 2), "plain"), (line, style))
