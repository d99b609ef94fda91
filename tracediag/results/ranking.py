"""Ranks findings: like ones folded into one, the worst first, each followed by those it explains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from tracediag.results.findings import Explained, Finding, Severity

_GENERAL, _PAGES = "failed-call-behind-exit", "TD7"
"""The name by which a rule names a failed call that it explains, and the codes of the pages that may be about it."""


class Ranking:
    """Collects findings; those with the same fingerprint become one with a count."""

    def __init__(self) -> None:
        self._by_fingerprint: dict[str, Finding] = {}
        self._incidents: dict[str, set[Explained]] = {}
        self._paged: dict[Explained, Explained] = {}
        """What a page reports, by the general name that rules know it by."""

    def add(self, finding: Finding) -> bool:
        """Add a finding; return whether it is the first of its kind."""
        key = finding.fingerprint
        incident = Explained(finding.name, finding.primary.line)
        self._incidents.setdefault(key, set()).add(incident)
        if finding.code.startswith(_PAGES):
            general = Explained(_GENERAL, incident.line)
            self._incidents[key].add(general)
            self._paged[general] = incident
        known = self._by_fingerprint.get(key)
        self._by_fingerprint[key] = finding if known is None else _fold(known, finding)
        return known is None

    def ranked(self) -> tuple[Finding, ...]:
        """Return the findings ranked, each linked to its cause.

        A cause is at least as bad as what follows from it: one fault, one severity.
        """
        findings = dict(self._by_fingerprint)
        causes = self._causes(_ordered(findings))
        for key, finding in self._by_fingerprint.items():
            for cause in _path(key, causes):
                findings[cause] = _at_least(findings[cause], finding.severity)
        present = frozenset[Explained]().union(*self._incidents.values())
        placed = _placed(_ordered(findings), causes)
        return tuple(self._linked(findings[key], present, cause) for key, cause in placed.items())

    def _linked(self, finding: Finding, present: frozenset[Explained], cause: str | None) -> Finding:
        """Set the cause, and keep in `explains` only findings that exist: a rule names all that might follow."""
        kept = (self._paged.get(incident, incident) for incident in finding.explains if incident in present)
        return msgspec.structs.replace(finding, explains=tuple(dict.fromkeys(kept)), explained_by=cause)

    def _causes(self, ordered: Sequence[str]) -> dict[str, str]:
        """Return, for each finding that others explain, the first that does."""
        explaining: dict[Explained, list[int]] = {}
        for place, key in enumerate(ordered):
            for incident in self._by_fingerprint[key].explains:
                explaining.setdefault(incident, []).append(place)
        causes: dict[str, str] = {}
        for key in ordered:
            places = {place for incident in self._incidents[key] for place in explaining.get(incident, ())}
            others = [place for place in places if ordered[place] != key]
            if others:
                causes[key] = ordered[min(others)]
        return causes


def _ordered(findings: Mapping[str, Finding]) -> list[str]:
    return sorted(findings, key=lambda key: _weight(findings[key]))


def _path(key: str, causes: Mapping[str, str]) -> list[str]:
    """Return a finding and its causes up to the first one, or once around a cycle."""
    path = {key: None}
    while (cause := causes.get(key)) is not None and cause not in path:
        path[cause] = None
        key = cause
    return list(path)


def _placed(ordered: Sequence[str], causes: Mapping[str, str]) -> dict[str, str | None]:
    """Return the findings in their final order, each with its cause."""
    followers: dict[str, list[str]] = {}
    for key in ordered:
        if key in causes:
            followers.setdefault(causes[key], []).append(key)
    placed: dict[str, str | None] = {}
    for head in (key for key in ordered if key not in causes):
        placed[head] = None
        placed.update(_descent(head, followers))
    for key in ordered:  # the rest explain each other in a cycle, or follow from such findings
        if key not in placed:
            circle = _path(_path(key, causes)[-1], causes)
            head = min(circle, key=ordered.index)
            placed[head] = None
            placed.update(_descent(head, followers))
    return placed


def _descent(head: str, followers: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield the findings that follow from one, directly or not, each with its cause; iterative: a chain can be long."""
    waiting = [(key, head) for key in reversed(followers.get(head, ()))]
    while waiting:
        key, cause = waiting.pop()
        if key != head:  # each finding has one cause: a cycle can only close at its head
            yield key, cause
            waiting.extend((other, key) for other in reversed(followers.get(key, ())))


def _at_least(finding: Finding, severity: Severity) -> Finding:
    return finding if finding.severity >= severity else msgspec.structs.replace(finding, severity=severity)


def _weight(finding: Finding) -> tuple[int, int, int]:
    return finding.severity.rank, finding.confidence.rank, finding.primary.line


def _fold(known: Finding, new: Finding) -> Finding:
    """Count one more incident; the worse or more certain of the two is the example, else the first."""
    example = new if _weight(new)[:2] < _weight(known)[:2] else known
    explains = tuple(dict.fromkeys((*known.explains, *new.explains)))
    return msgspec.structs.replace(example, count=known.count + new.count, explains=explains)
