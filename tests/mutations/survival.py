"""What becomes of the findings of a recording when the recording is mutated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tracediag import analyze
from tracediag.reading.sources import UnreadableError
from tracediag.results.findings import Finding
from tracediag.results.grades import Confidence, Severity
from tracediag.rules import find_rule

LOUD = (Severity.ERROR, Severity.WARNING)
_CONFIDENCE = (Confidence.POSSIBLE, Confidence.LIKELY, Confidence.CERTAIN)
WITHOUT = "without a name"
"""The mutation that leaves out all calls of one name, which is its detail."""
_DESCRIPTOR = re.compile(r"fd [0-9]++")
_WORD = re.compile(r"\w++")
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
    object: str = ""
    """What it is about: "fd 3 = TCP listener 127.0.0.1:8080"."""
    missed: str = ""
    """What it says is absent: "wait for child 12"."""
    spans: tuple[tuple[int, int], ...] = ()
    """The first and the last line of each step."""
    explained: bool = False
    """Whether the report folds it under another finding."""
    returned: int = 0
    """The line to which its calls reach, in the original recording."""
    count: int = 1
    """How many like incidents it stands for, of which the steps show the first."""

    @property
    def is_loud(self) -> bool:
        return self.severity > 0

    def meets(self, other: Found) -> bool:
        """Whether both speak of the same rule and lines; a line of which the origin is unknown is 0."""
        overlap = self.first <= max(other.last, other.returned) and other.first <= max(self.last, self.returned)
        return self.name == other.name and (overlap or 0 in (self.last, other.last))

    def repeats(self, other: Found) -> bool:
        """Whether both report the same fault: of the same lines, or of the same object by other lines."""
        same = self.name == other.name and (other.count > 1 or self.number == other.number != "")
        return same or self.meets(other)

    def replaces(self, other: Found) -> bool:
        """Whether it reports the fault of another finding under the name of another rule: the same step or end."""
        inside = any(first <= self.primary <= last for first, last in other.spans)
        return self.name != other.name and (inside or self.last == other.last)

    @property
    def rests_on_start(self) -> bool:
        """Whether it is about what holds since the execve: SIGPIPE has its default action, and nothing has happened."""
        return self.name == "send-without-nosignal" and not self.is_loud

    @property
    def number(self) -> str:
        """The number of the descriptor that it is about; empty if it is about something else."""
        found = _DESCRIPTOR.match(self.object)
        return found[0] if found else ""

    def claims_absent(self, name: str) -> bool:
        """Whether it claims that a call of that name is missing."""
        return name in find_rule(self.name).rests_on or name in _WORD.findall(f"{self.missed} {self.title}")


def is_left(found: Found, names: Mapping[int, str]) -> bool:
    """Whether what is left of a recording, lines with the names of their calls, still holds what a finding is about."""
    return found.primary in names and (not found.rests_on_start or "execve" in names.values())


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
    renamed: tuple[Found, ...]
    """Errors and warnings that stand for one of another rule, which is gone: the same step, or the same end."""
    raised: tuple[Found, ...]
    """Errors and warnings that are less in the original."""
    new: tuple[Found, ...]
    """Errors and warnings that the original does not have."""


def findings(lines: Sequence[tuple[int, str]]) -> tuple[Found, ...]:
    """Analyse numbered lines."""
    return tuple(_returned(found, _ends(lines)) for found in _analysed(lines)[0])


def _ends(lines: Sequence[tuple[int, str]]) -> Mapping[int, int]:
    """Return the line of the second half of each call that has two, by that of the first."""
    ends: dict[int, int] = {}
    begun: dict[str, int] = {}
    for number, text in lines:
        pid = text.partition(" ")[0]
        if text.endswith("<unfinished ...>"):
            begun[pid] = number
        elif " resumed>" in text and pid in begun:
            ends[begun.pop(pid)] = number
    return ends


def _returned(found: Found, ends: Mapping[int, int]) -> Found:
    """Set where the calls of the steps return: what is left of a call may be its second half."""
    return found._replace(returned=max(max(last, ends.get(last, 0)) for _, last in found.spans))


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
    loud = (each for each in now if each.is_loud and not each.explained)
    louder = [each for each in loud if each.severity > _severity_of(each, before)]
    if mutant.mutation == WITHOUT:
        # Without its waits a program that reaps its children is one that does not: that is true of what is left.
        louder = [each for each in louder if not each.claims_absent(mutant.detail)]
    raised = tuple(each for each in louder if _severity_of(each, before) >= 0)
    gone = [each for each in before if each.is_loud and not any(each.meets(other) for other in now)]
    renamed = tuple(each for each in louder if each not in raised and any(each.replaces(other) for other in gone))
    new = tuple(each for each in louder if each not in (*raised, *renamed))
    return Verdict(kept, weakened, unchecked, tuple(lost), renamed, raised, new)


def _severity_of(found: Found, before: Iterable[Found]) -> int:
    """Return the severity that a finding has in the original; -1 if the original does not have the finding."""
    return max((each.severity for each in before if found.repeats(each)), default=-1)


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
        object=finding.object,
        missed=" ".join(each.text for each in finding.absent),
        spans=tuple(zip(lines, lasts, strict=True)),
        explained=finding.explained_by is not None,
        count=finding.count,
    )


def _origin(origin: Sequence[int], line: int) -> int:
    """Return the line of the original; 0 if the trace was one line that the reader took apart."""
    return origin[line] if line < len(origin) else 0
