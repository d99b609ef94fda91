"""Mutations that leave lines out, as people do who show only what they take for the important part."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from recorded_lines import Line
from survival import WITHOUT, Found, Mutant, is_left

CLONES = frozenset({"clone", "clone3", "fork", "vfork"})
SIZES = (24, 42, 120)
"""Lines that a terminal, a screen and a generous paste show."""
LONGEST = 600
"""Lines of a recording that is mutated in tens of ways: what is longer repeats itself."""


def steps_only(lines: Sequence[Line], found: Collection[Found]) -> Iterator[Mutant]:
    """Only what lies between the first and the last step of a finding."""
    for each in found:
        kept = [line for line in lines if each.first <= line.number <= each.last]
        yield _mutant("first to last step", each.name, kept, [each])


def first_step_off(lines: Sequence[Line], found: Collection[Found]) -> Iterator[Mutant]:
    """The first step, and all before it, is cut off."""
    for each in found:
        start = min(each.steps)
        if each.primary != start:
            yield _mutant("first step cut off", each.name, [line for line in lines if line.number > start], [each])


def no_clones(lines: Sequence[Line], found: Collection[Found]) -> Iterator[Mutant]:
    """No call shows where a process or thread came from."""
    yield from _unless_equal(lines, "no clone lines", "", found, lambda line: line.name not in CLONES)


def no_signals(lines: Sequence[Line], found: Collection[Found]) -> Iterator[Mutant]:
    """No line of a signal."""
    yield from _unless_equal(lines, "no signal lines", "", found, lambda line: line.kind != "signal")


def without_a_name(lines: Sequence[Line], found: Collection[Found]) -> Iterator[Mutant]:
    """All calls of one name are left out; of the findings, those are judged of which none is a step."""
    if len(lines) > LONGEST:
        return
    steps = {each: {lines[number - 1].name for number in each.steps} for each in found}
    for name in sorted({line.name for line in lines} - {""}):
        judged = [each for each in found if name not in steps[each]]
        if judged or not found:
            yield _mutant(WITHOUT, name, [line for line in lines if line.name != name], judged)


def windows(lines: Sequence[Line], found: Collection[Found]) -> Iterator[Mutant]:
    """So many lines around a finding; of a sound program, the last."""
    for size in SIZES:
        if len(lines) <= size:
            continue
        yield from (_mutant(f"cut at {size} lines", each.name, around(lines, each, size), [each]) for each in found)
        if not found:
            yield _mutant(f"cut at {size} lines", "end", lines[-size:], [])


def around(lines: Sequence[Line], found: Found, size: int) -> Sequence[Line]:
    """Return the lines around all steps, or where those are too many, around the primary one."""
    first, last = found.first, min(found.last, max(found.steps) + size // 4)
    if last - first >= size:
        first = last = found.primary
    start = max(0, min(len(lines) - size, (first + last - size) // 2))
    return lines[start : start + size]


def _unless_equal(
    lines: Sequence[Line], mutation: str, detail: str, found: Iterable[Found], keep: Callable[[Line], bool]
) -> Iterator[Mutant]:
    kept = [line for line in lines if keep(line)]
    if len(kept) < len(lines):
        yield _mutant(mutation, detail, kept, found)


def _mutant(mutation: str, detail: str, kept: Sequence[Line], found: Iterable[Found]) -> Mutant:
    """Make a mutant; judged are the findings whose primary step it still holds."""
    names = {line.number: line.name for line in kept}
    judged = tuple(each for each in found if is_left(each, names))
    return Mutant(mutation, detail, [(line.number, line.text) for line in kept], judged)
