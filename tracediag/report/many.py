"""What many traces have in common, for a person and for a program: each finding once, with the traces that have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from tracediag.report.base import Look
from tracediag.report.canvas import Canvas
from tracediag.report.concise import ConciseFormat
from tracediag.report.document import dump
from tracediag.report.full import FullFormat
from tracediag.results.many import ManyReport, Recurring
from tracediag.results.report import Input, Report
from tracediag.trace.quantities import plural

Render = Callable[[ManyReport, Look], Iterator[str]]
_MOST_UNREAD = 20
"""Traces named of those that were not analysed; the document has all."""


def render_many(name: str, look: Look | None = None) -> Callable[[ManyReport], Iterator[str]] | None:
    """Return what renders a report on many traces in the format of that name; None if the format has none."""
    render = _RENDERED.get(name)
    return None if render is None else lambda report: render(report, look or Look())


def _full(report: ManyReport, look: Look) -> Iterator[str]:
    form, canvas = FullFormat(look), Canvas(look)
    for each in report.findings:
        canvas.line((_share(each, report), "label"), (f": {_places(each)}", "plain"))
        yield canvas.take()
        # What is counted of it is said in the line above, of all traces.
        yield form.finding(msgspec.structs.replace(each.finding, count=1), each.first)
    for unread in report.unread[:_MOST_UNREAD]:
        canvas.line(("not analysed: ", "error"), (f"{unread.path}: {_reason(unread.path, unread.error)}", "plain"))
    if (more := len(report.unread) - _MOST_UNREAD) > 0:
        canvas.line((f"and {plural(more, 'trace')} more that could not be analysed", "error"))
    if not report.traces:
        canvas.line(("no trace was analysed", "name"))
    yield canvas.take()
    if report.traces:
        yield form.closing(_remainder(report))


def _concise(report: ManyReport, look: Look) -> Iterator[str]:
    form = ConciseFormat(look)
    for each in report.findings:
        yield form.finding(each.finding, each.first).rstrip("\n") + f" ({_share(each, report)})\n"


def _json(report: ManyReport, _look: Look) -> Iterator[str]:
    yield dump(report)


_RENDERED: Mapping[str, Render] = {"full": _full, "concise": _concise, "json": _json}


def _share(each: Recurring, report: ManyReport) -> str:
    return f"in {each.traces:,} of {plural(report.traces, 'trace')}"


def _places(each: Recurring) -> str:
    times = f"; {each.count:,} times in all" if each.count > each.traces else ""
    return f"{each.first if each.traces == 1 else f'first in {each.first}, last in {each.last}'}{times}"


def _reason(path: str, error: str) -> str:
    return error.removeprefix(f"{path}: ")


def _remainder(report: ManyReport) -> Report:
    """Return what the report on one trace says after its findings."""
    found = tuple(each.finding for each in report.findings)
    return Report(input=Input(path=""), findings=found, blind=report.blind, broken=report.broken)
