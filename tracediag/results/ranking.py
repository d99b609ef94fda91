"""Puts findings in order: like ones folded into one, the worst first, causes before what they explain."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tracediag.results.findings import Confidence, Finding, Severity

_SEVERITIES = list(Severity)
_CONFIDENCES = list(Confidence)


class Ranking:
    """Collects findings one by one; findings of one fingerprint become one with a count."""

    def __init__(self) -> None:
        self._by_fingerprint: dict[str, Finding] = {}
        self._incidents: dict[str, set[tuple[str, int]]] = {}

    def add(self, finding: Finding) -> bool:
        """Take a finding; return whether it is the first of its kind."""
        key = finding.fingerprint
        self._incidents.setdefault(key, set()).add((finding.name, finding.primary.line))
        known = self._by_fingerprint.get(key)
        self._by_fingerprint[key] = finding if known is None else _fold(known, finding)
        return known is None

    def ranked(self) -> tuple[Finding, ...]:
        """Return the findings in order of rank."""
        ordered = sorted(self._by_fingerprint.items(), key=lambda item: _weight(item[1]))
        behind: dict[str, list[str]] = {}
        for key, _ in ordered:
            cause = self._cause(key, (other for other in ordered if other[0] != key))
            if cause is not None:
                behind.setdefault(cause, []).append(key)
        followers = {key for keys in behind.values() for key in keys}
        result: list[str] = []
        for key, _ in ordered:
            if key not in followers:
                _append(result, key, behind)
        # Two findings that explain each other would both be left out: nothing is lost.
        result += [key for key, _ in ordered if key not in result]
        present = frozenset[tuple[str, int]]().union(*self._incidents.values())
        return tuple(_with_explained(self._by_fingerprint[key], present) for key in result)

    def _cause(self, key: str, others: Iterable[tuple[str, Finding]]) -> str | None:
        """Return the first finding that explains an incident of this one."""
        incidents = self._incidents[key]
        return next((other for other, finding in others if incidents & set(finding.explains)), None)


def _append(result: list[str], key: str, behind: dict[str, list[str]]) -> None:
    if key not in result:
        result.append(key)
        for follower in behind.get(key, ()):
            _append(result, follower, behind)


def _with_explained(finding: Finding, present: frozenset[tuple[str, int]]) -> Finding:
    """Leave in `explains` only what was really found: a rule names all that might follow from its fault."""
    explained = tuple(incident for incident in finding.explains if incident in present)
    return msgspec.structs.replace(finding, explains=explained)


def _weight(finding: Finding) -> tuple[int, int, int]:
    return (
        _SEVERITIES.index(finding.severity),
        _CONFIDENCES.index(finding.confidence),
        finding.primary.line,
    )


def _fold(known: Finding, new: Finding) -> Finding:
    """Count one more incident; the worse or surer of the two is the example, else the first."""
    example = new if _weight(new)[:2] < _weight(known)[:2] else known
    explains = tuple(dict.fromkeys((*known.explains, *new.explains)))
    return msgspec.structs.replace(example, count=known.count + new.count, explains=explains)
