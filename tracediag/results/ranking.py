"""Puts findings in order: like ones folded into one, the worst first, each followed by what it explains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from tracediag.results.findings import Explained, Finding


class Ranking:
    """Collects findings one by one; findings of one fingerprint become one with a count."""

    def __init__(self) -> None:
        self._by_fingerprint: dict[str, Finding] = {}
        self._incidents: dict[str, set[Explained]] = {}

    def add(self, finding: Finding) -> bool:
        """Take a finding; return whether it is the first of its kind."""
        key = finding.fingerprint
        self._incidents.setdefault(key, set()).add(Explained(finding.name, finding.primary.line))
        known = self._by_fingerprint.get(key)
        self._by_fingerprint[key] = finding if known is None else _fold(known, finding)
        return known is None

    def ranked(self) -> tuple[Finding, ...]:
        """Return the findings in order of rank, each linked with its cause."""
        ordered = sorted(self._by_fingerprint, key=lambda key: _weight(self._by_fingerprint[key]))
        present = frozenset[Explained]().union(*self._incidents.values())
        placed = _placed(ordered, self._causes(ordered))
        return tuple(_linked(self._by_fingerprint[key], present, cause) for key, cause in placed.items())

    def _causes(self, ordered: Sequence[str]) -> dict[str, str]:
        """Return for each finding that another explains the first that does."""
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
    for key in ordered:  # what is left explains each other in a circle, or follows from such findings
        if key not in placed:
            head = min(_circle(key, causes), key=ordered.index)
            placed[head] = None
            placed.update(_descent(head, followers))
    return placed


def _circle(key: str, causes: Mapping[str, str]) -> list[str]:
    """Return the findings of the circle in which the causes of a finding end."""
    path: dict[str, None] = {}
    while key not in path:
        path[key] = None
        key = causes[key]
    return list(path)[list(path).index(key) :]


def _descent(head: str, followers: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield what follows from a finding, directly or not, each with its cause; iterative, since a chain can be long."""
    waiting = [(key, head) for key in reversed(followers.get(head, ()))]
    while waiting:
        key, cause = waiting.pop()
        if key != head:  # each finding has one cause: a circle can only close at its head
            yield key, cause
            waiting.extend((other, key) for other in reversed(followers.get(key, ())))


def _linked(finding: Finding, present: frozenset[Explained], cause: str | None) -> Finding:
    """Name the cause, and leave in `explains` only what was found: a rule names all that might follow."""
    explained = tuple(incident for incident in finding.explains if incident in present)
    return msgspec.structs.replace(finding, explains=explained, explained_by=cause)


def _weight(finding: Finding) -> tuple[int, int, int]:
    return finding.severity.rank, finding.confidence.rank, finding.primary.line


def _fold(known: Finding, new: Finding) -> Finding:
    """Count one more incident; the worse or surer of the two is the example, else the first."""
    example = new if _weight(new)[:2] < _weight(known)[:2] else known
    explains = tuple(dict.fromkeys((*known.explains, *new.explains)))
    return msgspec.structs.replace(example, count=known.count + new.count, explains=explains)
