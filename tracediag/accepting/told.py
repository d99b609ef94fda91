"""Findings about the entries of the configuration and of the baseline; their trace is the file that holds the entry."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tracediag.results.findings import Confidence, Finding, Maturity, Severity, Step
from tracediag.results.report import Input, Report, RuleCard

FAMILY = "accepted"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of these findings is."""

    code: str
    name: str
    severity: Severity
    summary: str
    why: str
    fix: str

    @property
    def text(self) -> str:
        """The page, as `tracediag explain` prints it."""
        head, what = f"# {self.code} {self.name}", f"Finds that {self.summary}."
        return "\n\n".join((head, what, f"Why: {self.why}.", f"Fix: {self.fix}.", "See docs/ci.md.\n"))

    def finding(self, step: Step, title: str, entry: str) -> Finding:
        """Return the finding about one entry."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=self.severity,
            confidence=Confidence.CERTAIN,
            title=title,
            object=entry,
            steps=(step,),
            why=self.why,
            fix=self.fix,
        )

    @property
    def card(self) -> RuleCard:
        """What a report says of the kind."""
        return RuleCard(
            code=self.code,
            severity=self.severity,
            maturity=Maturity.STABLE,
            summary=self.summary,
            meaning=f"{self.summary}.",
            family=FAMILY,
            tags=(FAMILY,),
            help=f"{self.why}. {self.fix}.",
        )


UNUSED = Page(
    code="TD901",
    name="unused-ignore",
    severity=Severity.WARNING,
    summary="an entry of `ignores` fits no finding of the run",
    why="an entry that fits nothing hides the next fault that happens to fit it",
    fix="remove the entry, or correct its rule, program, path or peer",
)
EXPIRED = Page(
    code="TD902",
    name="expired-ignore",
    severity=Severity.ERROR,
    summary="the last day of an entry of `ignores` has passed",
    why="the entry was meant to end: the findings that it hid are reported again",
    fix="fix what it hid and remove the entry, or give it a new date and a reason that still holds",
)
FIXED = Page(
    code="TD903",
    name="fixed-in-baseline",
    severity=Severity.ERROR,
    summary="the baseline holds a finding that the run does not show, and --baseline-strict lets it only shrink",
    why="while the entry stands, the same fault can return without being reported",
    fix="remove the line, or write the baseline again: tracediag baseline TRACE... --write FILE --baseline-strict",
)
PAGES = {word: page for page in (UNUSED, EXPIRED, FIXED) for word in (page.code, page.name)}
"""The kinds, by code and by name."""


def report_on(path: str, lines: int, findings: Sequence[Finding]) -> Report:
    """Return the report on a file of entries."""
    ordered = sorted(findings, key=lambda finding: (finding.severity.rank, finding.primary.line))
    cards = {finding.name: PAGES[finding.name].card for finding in ordered}
    return Report(input=Input(path=path, lines=lines), findings=tuple(ordered), rules=cards)
