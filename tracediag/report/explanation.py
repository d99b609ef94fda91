"""One call explained, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tracediag.report.base import Look
from tracediag.report.canvas import Canvas
from tracediag.report.document import dump
from tracediag.report.grid import cut
from tracediag.report.shorten import shorten
from tracediag.report.stacks import stack_of
from tracediag.report.visible import visible
from tracediag.report.wrapping import wrap
from tracediag.results.explanation import Explanation, Moment, Parameter, Use, Verdict
from tracediag.trace.quantities import seconds

SCHEMA = "tracediag-explanation/1"
"""The edition of the document."""

_STYLES = {Verdict.NORMAL: "remark", Verdict.NOTABLE: "warning", Verdict.FAILED: "error", Verdict.PENDING: "warning"}
_WORDS = {
    Verdict.NORMAL: "normal",
    Verdict.NOTABLE: "it depends",
    Verdict.FAILED: "a failure",
    Verdict.PENDING: "not over",
}
_LABEL = 9
_CALL = 150
_VALUE = 60
"""Columns of an argument."""
_NARROWEST = 30
_WIDEST = 120


def document(explanation: Explanation) -> str:
    """Return the explanation as one JSON document on one line."""
    return dump({"schema": SCHEMA} | msgspec.to_builtins(explanation))


def picture(explanation: Explanation, look: Look) -> str:
    """Return the explanation as text."""
    painter = _Painter(look)
    painter.paint(explanation)
    return painter.canvas.take()


class _Painter:
    def __init__(self, look: Look) -> None:
        self.canvas = Canvas(look)
        self._width = look.width

    def paint(self, found: Explanation) -> None:
        canvas = self.canvas
        place = f"{found.path}:{found.line}"
        when = "" if found.time is None or found.start is None else f"   +{found.time - found.start:.6f} s"
        took = "" if found.duration is None else f"   took {seconds(found.duration)}"
        half = "" if found.last_line == found.line else f"   returns at line {found.last_line:,}"
        canvas.line((place, "place"), (f"{when}{took}{half}", "faint"))
        self._wrapped("  ", shorten(visible(found.text), max(self._width or 0, _CALL + 60)), "name")
        canvas.blank()
        self._label("does", found.sentence)
        if place := stack_of(found.stack):
            self._label("where", place)
        self._parameters(found.parameters)
        self._label("result", found.result)
        words = _WORDS[found.verdict]
        self._label("verdict", f"{words}: {found.reason}", _STYLES[found.verdict])
        self._moments("before", found.before, found.start)
        self._moments("after", found.after, found.start)
        for use in found.findings:
            self._use(use)

    def _parameters(self, parameters: Sequence[Parameter]) -> None:
        name = max((len(each.name) for each in parameters), default=0)
        for number, each in enumerate(parameters):
            value = shorten(visible(each.value), _VALUE) if each.value[:1] in '"[{' else each.value
            meaning = f"   {each.meaning}" if each.meaning else ""
            label = "with" if not number else ""
            self._label(label, f"{each.name or '?':<{name}}  {cut(visible(value), 2 * _VALUE)}{meaning}")

    def _moments(self, label: str, moments: Sequence[Moment], start: float | None) -> None:
        places = max((len(f"{moment.line:,}") for moment in moments), default=0)
        for number, moment in enumerate(moments):
            head = label if not number else ""
            time = "" if moment.time is None or start is None else f"  +{moment.time - start:.6f}"
            call = shorten(visible(moment.text), _CALL)
            text = f"{moment.line:>{places},}{time}  {call}"
            note = f"   {moment.note}" if moment.note else ""
            self._label(head, f"{text}{note}")

    def _use(self, use: Use) -> None:
        self._label("finding", f"{use.severity}[{use.code}] {use.name} at line {use.line:,}: {use.title}", use.severity)
        self._label("", f"step {use.step}: {use.note}")

    def _label(self, label: str, text: str, style: str = "plain") -> None:
        room = None if self._width is None else max(min(self._width, _WIDEST) - _LABEL - 2, _NARROWEST)
        first, *others = wrap(text, room)
        self.canvas.line((f"  {label:<{_LABEL}}", "label"), (first, style))
        for line in others:
            self.canvas.line((" " * (_LABEL + 2), "plain"), (line, style))

    def _wrapped(self, margin: str, text: str, style: str) -> None:
        for line in wrap(text, None if self._width is None else max(self._width - len(margin), _NARROWEST)):
            self.canvas.line((margin, "plain"), (line, style))
