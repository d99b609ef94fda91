"""Which connections stand out: few of many end in an error or without an answer, and no finding tells of that."""

from __future__ import annotations

from collections.abc import Collection

from tracediag.evidence.connections import ACCEPTED, ConnectionLives, Lived
from tracediag.results.findings import Finding
from tracediag.results.overview import Apart

_ENOUGH = 20
"""Connections of a kind below which none is called unlike the others."""
_COMMON = 0.8
"""The part of all connections that must live as most do."""
_RARE = 0.05
"""The greatest part that an odd shape may have; a single connection may always be odd."""


def standing_out(lives: ConnectionLives, findings: Collection[Finding]) -> tuple[Apart, ...]:
    """Return the kinds of connections of which few are unlike the others, in a way that no finding explains."""
    found = (_apart(kind, shapes, findings) for kind, shapes in sorted(lives.shapes.items()))
    return tuple(apart for apart in found if apart is not None)


def _apart(kind: str, shapes: dict[tuple[str, ...], Lived], findings: Collection[Finding]) -> Apart | None:
    total = sum(lived.count for lived in shapes.values())
    usual, most = max(shapes.items(), key=_count)
    if total < _ENOUGH or most.count < _COMMON * total:
        return None
    for steps, lived in sorted(shapes.items(), key=_gravity):
        is_rare = lived.count <= max(1, _RARE * total)
        how = _how(kind, steps, usual) if is_rare else ""
        if how and not _is_explained(steps, lived, findings):
            first, last = min(lived.lines)
            return Apart(
                kind=kind,
                count=total,
                common=usual,
                common_count=most.count,
                odd=steps,
                odd_count=lived.count,
                how=how,
                first_line=first,
                last_line=last,
                example=lived.example,
            )
    return None


def _count(item: tuple[tuple[str, ...], Lived]) -> tuple[int, int]:
    _, lived = item
    return lived.count, -lived.lines[0][0]


def _gravity(item: tuple[tuple[str, ...], Lived]) -> tuple[bool, int, int]:
    """Order shapes with an error before others, then the rarest first."""
    steps, _ = item
    return not any(" E" in step for step in steps), *_count(item)


def _how(kind: str, steps: tuple[str, ...], usual: tuple[str, ...]) -> str:
    """Return in which way a shape is worse than the common one, in words; "" if in none."""
    error = next((step for step in steps if " E" in step and step not in usual), "")
    if error:
        return f"with {error.partition(' ')[2]}"
    if steps[-1] != usual[-1]:
        return ""  # the end of the process closed it
    question, answer = ("read", "write") if kind == ACCEPTED else ("write", "read")
    if _answers(usual, question, answer) and not _answers(steps, question, answer) and question in steps:
        return "without an answer to the last read" if kind == ACCEPTED else "without reading an answer"
    return ""


def _answers(steps: tuple[str, ...], question: str, answer: str) -> bool:
    """Whether the last transfer of a connection is an answer."""
    moved = [step for step in steps if step in (question, answer)]
    return question in moved and moved[-1:] == [answer]


def _is_explained(steps: tuple[str, ...], lived: Lived, findings: Collection[Finding]) -> bool:
    """Whether a finding tells of the error of a shape, or of a line within one of the first such connections."""
    errors = [step.partition(" ")[2] for step in steps if " E" in step]
    for finding in findings:
        if any(error in step.text for error in errors for step in finding.steps):
            return True
        if not errors and any(first <= finding.primary.line <= last for first, last in lived.lines):
            return True
    return False
