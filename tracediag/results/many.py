"""What many traces have in common: each finding once, with the traces that have it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tracediag.results.findings import Finding
from tracediag.results.report import Blind, BrokenRule, Report, RuleCard

SCHEMA = "tracediag-many/1"
"""The edition of the document."""


class Recurring(msgspec.Struct, frozen=True, kw_only=True):
    """A finding, with the traces that have it."""

    finding: Finding
    """As the first of these traces shows it."""
    traces: int
    """How many of the traces have it."""
    count: int
    """How often it occurs in all of them together."""
    first: str
    """The path of the first of these traces, in the order in which they were given."""
    last: str
    """The path of the last of them."""


class Unread(msgspec.Struct, frozen=True):
    """A trace that could not be analysed."""

    path: str
    error: str
    """Why, in one line."""


class ManyReport(msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag=SCHEMA):
    """What an analysis of many traces has to say: the worst first, of equally bad ones the most frequent."""

    traces: int
    """How many traces were analysed; those in `unread` are not among them."""
    clean: int
    """How many of them have no finding."""
    lines: int
    calls: int
    findings: tuple[Recurring, ...] = ()
    """The causes of all traces: like ones, by their fingerprint, are one."""
    unread: tuple[Unread, ...] = ()
    blind: tuple[Blind, ...] = ()
    """Rules that met something in a trace which they could not judge."""
    broken: tuple[BrokenRule, ...] = ()
    """Rules that failed, each as it failed first."""
    rules: dict[str, RuleCard] = {}
    """The rules that the report names, by their names."""

    def __repr__(self) -> str:
        return f"<ManyReport: {self.traces} traces, {len(self.findings)} findings, {len(self.unread)} unread>"


def report_on_many(results: Iterable[Report | Unread]) -> ManyReport:
    """Return what the reports of many traces have in common; each is dropped when it has been counted."""
    found: dict[str, Recurring] = {}
    unread: list[Unread] = []
    blind: dict[Blind, None] = {}
    broken: dict[tuple[str, str | None], BrokenRule] = {}
    rules: dict[str, RuleCard] = {}
    traces = clean = lines = calls = 0
    for result in results:
        if isinstance(result, Unread):
            unread.append(result)
            continue
        traces += 1
        clean += not result.findings
        lines += result.input.lines
        calls += result.input.calls
        blind.update(dict.fromkeys(result.blind))
        for each in result.broken:
            broken.setdefault((each.rule, each.place), each)
        rules |= result.rules
        for fingerprint, seen in _of_one(result).items():
            found[fingerprint] = _together(found[fingerprint], seen) if fingerprint in found else seen
    return ManyReport(
        traces=traces,
        clean=clean,
        lines=lines,
        calls=calls,
        findings=tuple(sorted(found.values(), key=_rank)),
        unread=tuple(unread),
        blind=tuple(blind),
        broken=tuple(broken.values()),
        rules=rules,
    )


def _of_one(report: Report) -> dict[str, Recurring]:
    """Return the causes of one report by fingerprint: a file that holds several traces may have one twice."""
    path = report.input.path
    found: dict[str, Recurring] = {}
    for cause in report.causes:
        seen = Recurring(finding=cause, traces=1, count=cause.count, first=path, last=path)
        known = found.get(cause.fingerprint)
        found[cause.fingerprint] = seen if known is None else _counted(known, known.count + cause.count)
    return found


def _counted(recurring: Recurring, count: int) -> Recurring:
    return msgspec.structs.replace(recurring, count=count)


def _together(known: Recurring, seen: Recurring) -> Recurring:
    """Return a finding as known so far with one more trace: as bad and as sure as it is in any of them."""
    finding = msgspec.structs.replace(
        known.finding,
        severity=max(known.finding.severity, seen.finding.severity),
        confidence=max(known.finding.confidence, seen.finding.confidence),
    )
    return Recurring(
        finding=finding,
        traces=known.traces + seen.traces,
        count=known.count + seen.count,
        first=known.first,
        last=seen.last,
    )


def _rank(recurring: Recurring) -> tuple[int, int, int]:
    finding = recurring.finding
    return finding.severity.rank, -recurring.traces, finding.confidence.rank
