"""The traces on a page: each must show what the page says, step by step, and the quiet ones nothing."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.analysis import Analysis
from tracediag.ownrules import RuleSet
from tracediag.reading import UnreadableError
from tracediag.results.findings import Finding
from tracediag.results.report import Report
from tracediag.rules import Rule
from tracediag.rules.pages import FENCE

MOST_TRACES = 50
_OPENING = "```trace"
_MARK = "#^"


class Remark(msgspec.Struct, frozen=True):
    """Something that is wrong, and the line of the page."""

    line: int
    message: str


class PageTrace(msgspec.Struct):
    """One trace of a page."""

    line: int
    """The line of its fence in the page."""
    quiet: bool
    lines: list[str] = []
    """Its lines without marks."""
    places: list[int] = []
    """The line of the page of each of them."""
    marks: list[tuple[int, int, str]] = []
    """The marks: the line of the page, the line of the trace, the text."""


def traces_of(text: str) -> list[PageTrace]:
    """Return the traces of a page."""
    found, line, place = [], 1, 0
    for fence in FENCE.finditer(text):
        line += text.count("\n", place, fence.start())
        place = fence.start()
        found.append(_trace(line, fence[2], quiet=bool(fence[1])))
    return found


def _trace(fence: int, body: str, *, quiet: bool) -> PageTrace:
    found = PageTrace(fence, quiet, [], [], [])
    for place, line in enumerate(body.splitlines(), start=fence + 1):
        if line.startswith(_MARK):
            found.marks.append((place, len(found.lines), line))
        else:
            found.lines.append(line)
            found.places.append(place)
    return found


def check_traces(rule: type[Rule], text: str) -> Iterator[Remark]:
    """Analyse the traces of a page with its rule alone, and yield what is not as the page says."""
    traces = traces_of(text)
    read = {trace.line for trace in traces}
    opened = [number for number, line in enumerate(text.split("\n"), 1) if line.startswith(_OPENING)]
    for line in opened:
        if line not in read:
            yield Remark(line, "this trace is not read: it begins with ```trace or ```trace quiet, and ends with ```")
    if not any(not trace.quiet for trace in traces):
        yield Remark(1, "the page has no trace that shows the fault: ```trace")
    if not any(trace.quiet for trace in traces):
        yield Remark(1, "the page has no trace on which the rule is quiet: ```trace quiet")
    for trace in traces[:MOST_TRACES]:
        yield from _check(rule, trace)
    if len(traces) > MOST_TRACES:
        yield Remark(traces[MOST_TRACES].line, f"not analysed: a page has at most {MOST_TRACES} traces")


def _check(rule: type[Rule], trace: PageTrace) -> Iterator[Remark]:
    analysis = Analysis([f"{line}\n" for line in trace.lines], rules=RuleSet((rule,)))
    try:
        for _ in analysis:
            pass
    except UnreadableError as error:
        yield Remark(trace.line, f"this is no trace: {error.reason}")
        return
    report = analysis.report()
    for sample in report.input.samples:
        yield Remark(trace.places[sample.line - 1], "this line is no strace output")
    for broken in report.broken:
        yield Remark(trace.line, f"the rule fails on this trace: {broken.error}")
    if trace.quiet:
        for place, _, text in trace.marks:
            yield Remark(place, f"a quiet trace has no steps: {text}")
        for finding in report.findings:
            yield Remark(trace.places[finding.primary.line - 1], f"not quiet: the rule reports {finding.title}")
    elif not report.findings:
        yield Remark(trace.line, f"the rule finds nothing in this trace{_why(report)}")
    else:
        yield from _check_marks(rule, trace, report.findings[0])


def _why(report: Report) -> str:
    return "".join(f"; it is not checked, because the trace lacks {blind.needs}" for blind in report.blind)


def _check_marks(rule: type[Rule], trace: PageTrace, finding: Finding) -> Iterator[Remark]:
    """Compare the marks with the steps of the finding; a trace without marks only has to show it."""
    wanted = {}
    for number, step in enumerate(finding.steps, 1):
        rest = f" primary {finding.severity} {finding.confidence}" if step.primary else ""
        wanted[step.line] = f"#^ {rule.code} step {number}{rest}"
    for place, line, text in trace.marks:
        expected = wanted.get(line)
        if expected is None:
            yield Remark(place, f"no step of the finding is here: {text}")
        elif expected != text:
            yield Remark(place, f"the step here is: {expected}")
    marked = {line for _, line, _ in trace.marks}
    for line, text in wanted.items():
        if marked and line not in marked:
            yield Remark(trace.places[line - 1], f"this step is not marked: {text}")
