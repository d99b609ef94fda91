"""Annotations of GitHub Actions: one workflow command for each finding, the worst first.

docs.github.com, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tracediag.report.document_format import DocumentFormat
from tracediag.report.fate import failure_of
from tracediag.report.stacks import place_of
from tracediag.report.visible import visible
from tracediag.results.findings import Finding
from tracediag.results.grades import Severity
from tracediag.results.report import Report

MOST = 10
"""GitHub shows so many annotations of each level in a step, and drops further ones: docs.github.com, "Usage limits"."""
_LEVELS: dict[Severity, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_LONGEST = 2000


class GithubFormat(DocumentFormat):
    """One line for each cause."""

    def document(self, reports: Sequence[Report]) -> Iterator[str]:
        """Render the commands; the last one of each level says how many were cut, if any."""
        counts: Counter[Severity] = Counter()
        for report in reports:
            for severity, command in _of_run(report):
                counts[severity] += 1
                yield command
        shown = counts.copy()
        causes = [(report.input.path, cause) for report in reports for cause in report.causes]
        causes.sort(key=lambda pair: (pair[1].severity.rank, pair[1].confidence.rank))
        counts.update(cause.severity for _, cause in causes)
        for path, cause in causes:
            shown[cause.severity] += 1
            left = counts[cause.severity] - MOST + 1
            if shown[cause.severity] < MOST or left == 1:
                yield _of(path, cause)
            elif shown[cause.severity] == MOST:
                level = _LEVELS[cause.severity]
                yield _command(level, path, 1, "tracediag", f"{left:,} further findings of this severity are not shown")


def _of_run(report: Report) -> Iterator[tuple[Severity, str]]:
    """Yield what is to be known besides the findings: what was not read or judged, and that the command failed."""
    path = report.input.path
    for said in (report.input.doubt, report.input.damage):
        if said is not None:
            yield Severity.WARNING, _command("warning", path, 1, "not read", said)
    for broken in report.broken:
        said = f"the rule {broken.rule} failed: {broken.error}"
        yield Severity.ERROR, _command("error", path, 1, "not judged", said)
    if (failure := failure_of(report)) is not None:
        yield Severity.ERROR, _command("error", path, max(report.input.lines, 1), "the command failed", failure)


def _of(path: str, finding: Finding) -> str:
    title = f"{finding.code} {finding.name}"
    text = f"{finding.title}\n{finding.why}\nfix: {finding.fix}"
    line = finding.primary.line
    if (place := place_of(finding)) is not None:
        text = f"{text}\ntrace: {path}:{line}"
        path, line = place.path, place.line
    return _command(_LEVELS[finding.severity], path, line, title, text)


def _command(level: str, path: str, line: int, title: str, text: str) -> str:
    shown = "\n".join(visible(part) for part in text[:_LONGEST].split("\n"))
    where = f"file={_property(path)},line={line},title={_property(title)}"
    return f"::{level} {where}::{_escaped(shown)}\n"


def _escaped(text: str) -> str:
    """Return the text of a command: a percent sign and line breaks would end it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Return a value in front of the text, which also colons and commas would end."""
    return _escaped(visible(text[:_LONGEST])).replace(":", "%3A").replace(",", "%2C")
