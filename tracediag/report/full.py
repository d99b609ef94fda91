"""The report for a person at a terminal: each finding with its chain, then what could not be judged."""

from __future__ import annotations

import textwrap
from collections import defaultdict

from tracediag.report.base import Format, Look
from tracediag.report.canvas import Canvas
from tracediag.report.steps import paint_steps
from tracediag.report.visible import visible
from tracediag.results.findings import Absence, Finding, Maturity
from tracediag.results.report import Report

_WIDEST = 120
"""Prose in longer lines is hard to read."""
_LABEL = 10
_PLACES = 3
"""Lines told of each thing that a finding explains."""


class FullFormat(Format):
    """Header, place, steps, absence, reason, remedy."""

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._canvas = Canvas(look)

    def finding(self, finding: Finding, path: str) -> str:
        """Render one finding, with an empty line behind it."""
        self._header(finding, path)
        self._canvas.blank()
        paint_steps(self._canvas, finding.steps, self.look.width)
        self._canvas.blank()
        self._reasons(finding)
        self._canvas.blank()
        return self._canvas.take()

    def closing(self, report: Report) -> str:
        """Render what the findings cannot say: what was not understood, what could not be judged."""
        if not report.findings:
            self._canvas.line(("no findings", "name"))
        self._not_understood(report)
        self._blind(report)
        return self._canvas.take()

    def _header(self, finding: Finding, path: str) -> None:
        preview = " (preview)" if finding.maturity is Maturity.PREVIEW else ""
        self._canvas.line(
            (f"{finding.severity}[{finding.code}]", finding.severity),
            (f" {finding.name}{preview}: {finding.title}", "name"),
        )
        self._canvas.line(
            ("  --> ", "label"),
            (f"{path}:{finding.primary.line}", "place"),
            (f"   {finding.object}" if finding.object else "", "plain"),
            (f"   confidence: {finding.confidence}", "faint"),
        )

    def _reasons(self, finding: Finding) -> None:
        for absence in finding.absent:
            self._row("absent", _absence(absence, finding))
        self._row("why", finding.why)
        self._row("fix", finding.fix)
        if finding.explains:
            self._row("explains", _explained(finding))
        if finding.count > 1:
            self._row("count", f"{finding.count:,} of this kind; the steps show the first")
        self._row("more", f"tracediag explain {finding.code}")

    def _row(self, label: str, text: str) -> None:
        """Paint `label  text`; on a terminal the text hangs under itself, elsewhere it stays one line."""
        lines = [visible(text)]
        if self.look.width is not None:
            room = min(self.look.width, _WIDEST) - 4 - _LABEL
            lines = textwrap.wrap(lines[0], max(room, 30), break_long_words=False, break_on_hyphens=False) or [""]
        for number, line in enumerate(lines):
            head = f"    {'' if number else label:<{_LABEL}}"
            self._canvas.line((head, "plain" if number else "label"), (line, "plain"))

    def _not_understood(self, report: Report) -> None:
        trace = report.input
        if not trace.not_understood:
            return
        self._canvas.line(
            ("not understood: ", "warning"), (f"{trace.not_understood:,} of {trace.lines:,} lines", "plain")
        )
        for sample in trace.samples:
            text = sample.text if len(sample.text) <= 100 else f"{sample.text[:99]}…"
            self._canvas.line((f"    {sample.line:>4}  ", "place"), (text, "plain"))

    def _blind(self, report: Report) -> None:
        lacking = defaultdict(list)
        for blind in report.blind:
            lacking[blind.needs].append(blind.rule)
        if lacking:
            self._canvas.line(("not judged, for want of", "warning"))
        for needs, rules in lacking.items():
            self._row_of_needs(needs, rules)
        if report.advice:
            self._canvas.line(("record better: ", "label"), (report.advice, "plain"))

    def _row_of_needs(self, needs: str, rules: list[str]) -> None:
        self._canvas.line((f"    {needs}: ", "label"), (", ".join(rules), "plain"))


def _explained(finding: Finding) -> str:
    """Name what follows from the finding, with the first few places of each."""
    places = defaultdict(list)
    for explained in finding.explains:
        places[explained.name].append(explained.line)
    return ", ".join(f"{name} at {_lines(sorted(lines))}" for name, lines in places.items())


def _lines(lines: list[int]) -> str:
    first = ", ".join(map(str, lines[:_PLACES]))
    more = f" and {len(lines) - _PLACES:,} more" if len(lines) > _PLACES else ""
    return f"line{'' if len(lines) == 1 else 's'} {first}{more}"


def _absence(absence: Absence, finding: Finding) -> str:
    first, last = (_place(line, finding) for line in (absence.first_line, absence.last_line))
    return f"{absence.text} between {first} and {last}"


def _place(line: int, finding: Finding) -> str:
    """Name a line by the step that stands there, if one does."""
    for number, step in enumerate(finding.steps, start=1):
        if step.line == line:
            return f"({number})"
    return f"line {line}"
