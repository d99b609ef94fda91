"""Tells the numbers of lines from pids: both stand bare before a call."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern

FEW = 6
"""Fewer rising numbers than these may be pids, if each line is the first or the last of a process."""
FEWEST = 3
"""Of fewer lines, numbers glued to a pid that all have in common show the same."""
MANY = 8
SHARE = 0.85
"""So many lines must begin with the number after that of the last line."""
_LIFE = lazy_pattern(r"execve(?:at)?\(|\+\+\+ |_?exit(?:_group)?\(")
_HALF = lazy_pattern(r"<\.\.\. |<unfinished \.\.\.>$")
_PID = lazy_pattern(r"([1-9][0-9]{1,7}+) ")
_DIGITS = lazy_pattern(r"([#L]?)([0-9]{1,7})")
Numbered = tuple[int, int, str]
"""The place of a line in the sample, the number before its record, and the record."""


def are_lines(numbered: Sequence[Numbered], *, indented: bool) -> bool:
    """Return whether numbers before records are those of lines.

    A pid stands before several calls, so pids repeat; the numbers of lines rise, and mostly by one. `indented` says
    that blanks stand before all: pagers print so, strace does not.
    """
    numbers = [number for _, number, _ in numbered]
    pairs = list(pairwise(numbers))
    halves = sum(_HALF.search(text) is not None for _, _, text in numbered)
    if halves and len(numbers) <= 2:
        return False
    if len(numbers) <= 2 or (numbers[0] == 0 and len(numbers) < FEW):
        return numbers == [1, 2] or (indented and len(numbers) > 1 and 0 < numbers[0] == numbers[1] - 1)
    if 2 * halves > len(numbers):
        return False  # halves without pids could not be told apart: strace prints none
    if len(numbers) < 2 * FEW and numbers[0] > 2 and all(_LIFE.match(text) for _, _, text in numbered):
        return False
    rising = sum(after > first for first, after in pairs)
    if rising < 0.95 * len(pairs):
        return False
    by_one = sum(after == first + 1 for first, after in pairs)
    as_lines = len({number - place for place, number, _ in numbered}) == 1
    return as_lines or by_one >= 0.6 * len(pairs) or len(numbers) >= MANY


class Glued:
    """Removes numbers that stand directly before each line: `12close(3) = 0`, `131798 close(3) = 0`."""

    def __init__(self, letter: str, first: int) -> None:
        self._letter = letter
        self._first = self._next = first

    def lines(self, lines: list[str]) -> list[str]:
        """Return the lines without their numbers."""
        out = []
        for line in lines:
            out.append(line.removeprefix(f"{self._letter}{self._next}"))
            self._next += 1
        return out

    def rest(self) -> list[str]:
        """Start over with the first number."""
        self._next = self._first
        return []


def find_glued(lines: list[str]) -> Glued | None:
    """Find numbers that are part of the word after them: each line begins with the number of the last and one."""
    used = lines[:-1] if lines and not lines[-1] else lines
    if len(used) < FEWEST or (digits := _DIGITS.match(used[0])) is None:
        return None
    letter = digits[1]
    for end in range(1, len(digits[2]) + 1):
        first = checked_integer(digits[2][:end])
        cut = [line.removeprefix(f"{letter}{number}") for number, line in enumerate(used, first)]
        shorter = [after for line, after in zip(used, cut, strict=True) if len(after) < len(line)]
        glued = sum(after[:1].isalnum() or after[:1] in "<[+-" for after in shorter if after)
        enough = len(shorter) >= SHARE * len(used) and glued >= 0.8 * len(used)
        if enough and (len(used) >= FEW or _has_one_pid(cut)):
            return Glued(letter, first)
    return None


def _has_one_pid(cut: list[str]) -> bool:
    """Return whether all lines begin with one pid once the rising numbers are cut off: pids do not rise so."""
    pids = {found[1] if (found := _PID.match(line)) is not None else "" for line in cut}
    return len(pids) == 1 and "" not in pids
