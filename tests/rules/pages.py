"""Reads the traces out of a rule's page, and the marks that say which line is which step.

On a page, a fence of the kind `trace` holds a recorded trace; `trace quiet` one on which the rule must say nothing. In
the first, a line `#^ TD103 step 2` says that the record above it is the second step of the rule's finding; the primary
step's mark ends in `primary SEVERITY CONFIDENCE`. The marks are taken out before the trace is read.

    python tests/rules/pages.py NAME...     prints each page with its marks made anew, for review
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from tracediag.api import analyze
from tracediag.results.findings import Finding
from tracediag.results.report import Report
from tracediag.rules import Rule, find_rule
from tracediag.rules.pages import FENCE, MARK

HEADINGS = (
    "What it finds",
    "A trace that shows it",
    "A trace that does not",
    "Why it is a bug",
    "How to fix it",
    "When it is fine",
    "What to record",
    "See also",
)


@dataclass
class PageTrace:
    """One trace of a page: its lines without marks, and the marks by line."""

    quiet: bool
    lines: list[str] = field(default_factory=list)
    marks: dict[int, str] = field(default_factory=dict)

    @property
    def marks_due(self) -> list[dict[int, str]]:
        """The marks of each finding that is due."""
        return [] if self.quiet else [self.marks]

    def findings(self, rule: type[Rule]) -> list[Finding]:
        """What the rule says of it, all other rules being at work too."""
        report = analysed(tuple(self.lines))
        assert report.input.not_understood == 0, report.input.samples
        return [finding for finding in report.findings if finding.name == rule.name]


@lru_cache(maxsize=32)
def analysed(lines: tuple[str, ...]) -> Report:
    """Return the report on a trace, kept for the other tests of the same page."""
    return analyze([f"{line}\n" for line in lines])


def traces(text: str) -> list[PageTrace]:
    """Return the traces of a page."""
    return [_trace(bool(found[1]), found[2]) for found in FENCE.finditer(text)]


def _trace(quiet: bool, body: str) -> PageTrace:
    trace = PageTrace(quiet)
    for line in body.splitlines():
        if MARK.match(line):
            trace.marks[len(trace.lines)] = line
        else:
            trace.lines.append(line)
    return trace


def marks_of(finding: Finding) -> dict[int, str]:
    """Return the marks that a finding's steps ask for, by line."""
    wanted = {}
    for number, step in enumerate(finding.steps, 1):
        rest = f" primary {finding.severity} {finding.confidence}" if step.primary else ""
        wanted[step.line] = f"#^ {finding.code} step {number}{rest}"
    return wanted


def remark(rule: type[Rule]) -> str:
    """Return the page with the marks that its findings ask for."""
    return FENCE.sub(lambda found: _remarked(rule, found), rule.page())


def _remarked(rule: type[Rule], found: re.Match[str]) -> str:
    trace = _trace(bool(found[1]), found[2])
    findings = trace.findings(rule)
    wanted = marks_of(findings[0]) if findings else {}
    body = "".join(f"{line}\n" for line in _woven(trace.lines, wanted))
    return f"```trace{found[1] or ''}\n{body}```"


def _woven(lines: list[str], marks: dict[int, str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        yield line
        if number in marks:
            yield marks[number]


if __name__ == "__main__":
    for name in sys.argv[1:]:
        sys.stdout.write(remark(find_rule(name)))
