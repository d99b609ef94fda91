"""What becomes of the findings of a recording when the recording is mutated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tracediag import analyze
from tracediag.reading.sources import UnreadableError
from tracediag.results.findings import Finding
from tracediag.results.grades import Confidence, Severity

LOUD = (Severity.ERROR, Severity.WARNING)
_CONFIDENCE = (Confidence.POSSIBLE, Confidence.LIKELY, Confidence.CERTAIN)
_SEVERITY = (Severity.NOTE, Severity.WARNING, Severity.ERROR)


class Found(NamedTuple):
    """A finding, with its lines as those of the original recording."""

    name: str
    severity: int
    """0 for a note, 1 for a warning, 2 for an error."""
    confidence: int
    """0 for possible, 1 for likely, 2 for certain."""
    primary: int
    steps: tuple[int, ...]
    """The line of each step."""
    repeated: tuple[int, ...]
    """The first lines of the steps that stand for several records."""
    first: int
    last: int
    title: str

    @property
    def is_loud(self) -> bool:
        return self.severity > 0

    def meets(self, other: Found) -> bool:
        """Whether both speak of the same rule and lines; a line of which the origin is unknown is 0."""
        overlap = self.first <= other.last and other.first <= self.last
        return self.name == other.name and (overlap or 0 in (self.last, other.last))


class Mutant(NamedTuple):
    """A recording after one mutation."""

    mutation: str
    """Of the table: "no signals", "without a name"."""
    detail: str
    """What exactly was changed: the name that was left out, the margin; else empty."""
    lines: Sequence[tuple[int, str]]
    """Number in the original, 0 if the mutation broke or joined lines, and text."""
    judged: tuple[Found, ...]
    """The findings that are still to be made."""

    @property
    def label(self) -> str:
        return f"{self.mutation} {self.detail}".strip()


class Verdict(NamedTuple):
    """What was found in a mutant, against what was found in the original."""

    kept: int
    """Findings that are as they were."""
    weakened: int
    unchecked: int
    """Findings of rules that the report names as not checked, with what the recording lacks."""
    lost: tuple[Found, ...]
    raised: tuple[Found, ...]
    """Errors and warnings that are less in the original."""
    new: tuple[Found, ...]
    """Errors and warnings that the original does not have."""


def findings(lines: Sequence[tuple[int, str]]) -> tuple[Found, ...]:
    """Analyse numbered lines."""
    return _analysed(lines)[0]


def _analysed(lines: Sequence[tuple[int, str]]) -> tuple[tuple[Found, ...], frozenset[str]]:
    """Return the findings, and the rules that were not checked."""
    origin = [0, *(number for number, _ in lines)]
    report = analyze([f"{text}\n" for _, text in lines])
    return tuple(_found(finding, origin) for finding in report.findings), frozenset(each.rule for each in report.blind)


def judge(mutant: Mutant, original: Iterable[Found]) -> Verdict:
    """Analyse a mutant, and compare."""
    try:
        now, blind = _analysed(mutant.lines)
    except UnreadableError:  # not a single line is understood
        now, blind = (), frozenset()
    before = tuple(original)
    kept = weakened = unchecked = 0
    lost = []
    for each in mutant.judged:
        same = [other for other in now if other.meets(each)]
        if not same and each.name in blind:
            unchecked += 1
        elif not same:
            lost.append(each)
        elif any(other.severity >= each.severity and other.confidence >= each.confidence for other in same):
            kept += 1
        else:
            weakened += 1
    louder = [each for each in now if each.is_loud and each.severity > _severity_of(each, before)]
    raised = tuple(each for each in louder if _severity_of(each, before) >= 0)
    return Verdict(kept, weakened, unchecked, tuple(lost), raised, tuple(each for each in louder if each not in raised))


def _severity_of(found: Found, before: Iterable[Found]) -> int:
    """Return the severity that a finding has in the original; -1 if the original does not have the finding."""
    return max((each.severity for each in before if found.meets(each)), default=-1)


def _found(finding: Finding, origin: Sequence[int]) -> Found:
    lines = [_origin(origin, step.line) for step in finding.steps]
    lasts = [_origin(origin, step.last_line or step.line) for step in finding.steps]
    return Found(
        name=finding.name,
        severity=_SEVERITY.index(finding.severity),
        confidence=_CONFIDENCE.index(finding.confidence),
        primary=_origin(origin, finding.primary.line),
        steps=tuple(lines),
        repeated=tuple(_origin(origin, step.line) for step in finding.steps if step.repeats > 1),
        first=min(lines),
        last=max(lasts),
        title=finding.title,
    )


def _origin(origin: Sequence[int], line: int) -> int:
    """Return the line of the original; 0 if the trace was one line that the reader took apart."""
    return origin[line] if line < len(origin) else 0
