"""The report for a person at a terminal: each cause with its chain, then what was not checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tracediag.report.base import Format, Look
from tracediag.report.canvas import Canvas
from tracediag.report.fate import fate
from tracediag.report.head import rows
from tracediag.report.steps import paint_steps
from tracediag.report.visible import visible
from tracediag.report.wrapping import flow, wrap
from tracediag.results.findings import Absence, Explained, Finding
from tracediag.results.report import BrokenRule, Part, Report
from tracediag.trace.quantities import plural
from tracediag.trace.shell import joined

_WIDEST = 120
"""Prose in longer lines is hard to read."""
_MARGIN = 4
_LABEL = 10
_PLACES = 3
"""Lines listed for each finding that a cause explains."""
_NARROWEST = 30
"""Text is not wrapped to fewer columns, however narrow the terminal."""


class FullFormat(Format):
    """Header, location, steps, absence, reason, fix, and the findings that follow from it."""

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._canvas = Canvas(look)

    def finding(self, finding: Finding, path: str, followers: Sequence[Finding] = ()) -> str:
        """Render one finding, and one line for each that follows from it, ending with an empty line."""
        self._header(finding, path)
        self._canvas.blank()
        paint_steps(self._canvas, finding.steps, self.look.width)
        self._canvas.blank()
        self._reasons(finding, followers)
        self._canvas.blank()
        return self._canvas.take()

    def opening(self, report: Report) -> str:
        """Render the doubt and the traces of a file that holds several, each followed by an empty line."""
        if report.input.doubt is not None:
            self._hanging(("not read: ", "error"), report.input.doubt)
            self._canvas.blank()
        if report.parts:
            self._hanging((f"{len(report.parts)} traces, each analysed for itself: ", "label"), _parts(report.parts))
            self._canvas.blank()
        shown = list(rows(report))
        for label, text, style in shown:
            self._head(label, text, style)
        if shown:
            self._canvas.blank()
        return self._canvas.take()

    def closing(self, report: Report) -> str:
        """Render what was not understood and what was not checked."""
        if not report.findings:
            self._canvas.line(("no findings", "name"))
        if report.input.damage is not None:
            self._canvas.line(("damaged: ", "warning"), (report.input.damage, "plain"))
        if (command := report.command) is not None:
            self._canvas.line(("command", "label"), (f"  {joined(command.argv)} {fate(command)}", "plain"))
        self._not_understood(report)
        self._broken(report)
        self._blind(report)
        self._here(report)
        self._redacted(report)
        return self._canvas.take()

    def _head(self, label: str, text: str, style: str) -> None:
        """Print a row of the head; each line of what a program said is a line of its own."""
        room = self._room(_LABEL + 2)
        room = None if room is None else min(room, _WIDEST)
        lines = [piece for line in text.split("\n") for piece in wrap(line, room)]
        for number, line in enumerate(lines):
            head = f"{'' if number else label:<{_LABEL + 2}}"
            self._canvas.line((head, "label"), (line, style))

    def _header(self, finding: Finding, path: str) -> None:
        grade = f"{finding.severity}[{finding.code}]"
        title = f"{grade} {finding.name}: {finding.title}"
        first, *others = wrap(title, self._room(0), self._room(_MARGIN))
        self._canvas.line((grade, finding.severity), (first[len(grade) :], "name"))
        for line in others:
            self._canvas.line((" " * _MARGIN + line, "name"))
        place = visible(f"{path}:{finding.primary.line}")
        facts = [place, *([finding.object] if finding.object else []), f"confidence: {finding.confidence}"]
        first, *others = flow(facts, self._room(6), "   ")
        self._canvas.line(("  --> ", "label"), (first[: len(place)], "place"), (first[len(place) :], "plain"))
        for line in others:
            self._canvas.line((" " * 6 + line, "plain"))

    def _room(self, indent: int) -> int | None:
        return None if self.look.width is None else max(self.look.width - indent, _NARROWEST)

    def _reasons(self, finding: Finding, followers: Sequence[Finding]) -> None:
        for absence in finding.absent:
            self._row("absent", _absence(absence, finding))
        self._row("why", finding.why)
        self._row("fix", finding.fix)
        folded = {follower.name for follower in followers}
        elsewhere = [explained for explained in finding.explains if explained.name not in folded]
        if elsewhere:
            self._row("explains", _explained(elsewhere))
        for follower in followers:
            self._row("also", _also(follower))
        if finding.count > 1:
            self._row("count", f"{finding.count:,} of this kind; the steps show the first")
        self._row("more", f"tracediag explain {finding.code}")

    def _row(self, label: str, text: str) -> None:
        """Print `label  text`; on a terminal the text has a hanging indent, elsewhere it is one line."""
        room = self._room(_MARGIN + _LABEL)
        lines = wrap(text, None if room is None else min(room, _WIDEST - _MARGIN - _LABEL))
        for number, line in enumerate(lines):
            head = " " * _MARGIN + f"{'' if number else label:<{_LABEL}}"
            self._canvas.line((head, "plain" if number else "label"), (line, "plain"))

    def _not_understood(self, report: Report) -> None:
        trace = report.input
        if not trace.not_understood:
            return
        self._canvas.line(
            ("not understood: ", "warning"), (f"{trace.not_understood:,} of {plural(trace.lines, 'line')}", "plain")
        )
        for sample in trace.samples:
            text = sample.text if len(sample.text) <= 100 else f"{sample.text[:99]}…"
            self._hanging((f"    {sample.line:>4}  ", "place"), text)

    def _broken(self, report: Report) -> None:
        for head, rules in _stopped(report):
            if rules:
                self._canvas.line((f"{head}:", "error"))
            for broken in rules:
                self._hanging((f"    {broken.rule} ", "label"), f"{_where(broken)}: {broken.error}")

    def _redacted(self, report: Report) -> None:
        if report.redacted is not None:
            kinds = ", ".join(f"{kind} {number:,}" for kind, number in report.redacted.items())
            values = plural(sum(report.redacted.values()), "value")
            self._hanging(("redacted: ", "label"), f"{values} ({kinds})" if kinds else "nothing to hide was found")

    def _blind(self, report: Report) -> None:
        lacking = defaultdict(list)
        for blind in report.blind:
            lacking[blind.needs].append(blind.rule)
        if lacking:
            self._canvas.line(("not checked, because the recording lacks", "warning"))
        for needs, rules in lacking.items():
            self._hanging((f"    {needs}: ", "label"), ", ".join(rules))
        if report.advice:
            self._hanging(("record better: ", "label"), report.advice)

    def _here(self, report: Report) -> None:
        """Print what this host shows now, apart from the evidence."""
        here = report.here
        if here is None:
            return
        self._canvas.blank()
        when = here.time.replace("T", " ").replace("Z", " UTC")
        self._canvas.line(
            (f"now, on this host ({here.host}, {when})", "label"),
            (": no part of the evidence", "plain"),
        )
        if not here.looks:
            self._canvas.line(("    no failed call or wait of a finding names a path, an address or a limit", "plain"))
        for look in here.looks:
            what = f" {look.object}" if look.object else ""
            self._canvas.line(
                (f"    line {look.line:,}  ", "place"), (f"{look.call}{what} ({look.errno or 'it waits'})", "name")
            )
            for fact in look.facts:
                self._hanging(("        - ", "plain"), fact)

    def _hanging(self, head: tuple[str, str], text: str) -> None:
        """Print a head and text after it; continuation lines are indented four columns more than the head."""
        indent = len(head[0]) - len(head[0].lstrip()) + 4
        first, *others = wrap(text, self._room(len(head[0])), self._room(indent))
        self._canvas.line(head, (first, "plain"))
        for line in others:
            self._canvas.line((" " * indent + line, "plain"))


def _parts(parts: Sequence[Part]) -> str:
    return ", ".join(
        f"{number} {part.label}".strip() + f" (lines {part.first_line:,} to {part.last_line:,})"
        for number, part in enumerate(parts, 1)
    )


def _also(follower: Finding) -> str:
    """Name a finding that follows from another, with its location: both are one fault."""
    count = "" if follower.count == 1 else f", {follower.count:,} of this kind"
    return f"{follower.name} at line {follower.primary.line} ({follower.severity}{count}): {follower.title}"


def _explained(explains: Sequence[Explained]) -> str:
    """Name the findings that follow from this one, with the first few locations of each."""
    places = defaultdict(list)
    for explained in explains:
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
    """Name a line by its step, if there is one."""
    for number, step in enumerate(finding.steps, start=1):
        if step.line == line:
            return f"({number})"
    return f"line {line}"


def _where(broken: BrokenRule) -> str:
    if broken.place is not None:
        return broken.place
    return {None: "at the end of the trace", 0: "before the first line"}.get(broken.line, f"at line {broken.line}")


def _stopped(report: Report) -> Iterator[tuple[str, list[BrokenRule]]]:
    """Yield the rules that could not do their work, by what should be done about it."""
    yield "stopped by an internal error (please report it)", [each for each in report.broken if not each.own]
    own = [each for each in report.broken if each.own]
    yield "rules of your own that stopped with an error", [each for each in own if each.place is None]
    yield "rules of your own that could not be loaded", [each for each in own if each.place is not None]
