"""The margin of `grep -C` and `grep -A`: `file:12:` before a line that matches, `file-11-` before those around it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from tracediag.reading.margins.undoing import Each
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern

_NUMBER = lazy_pattern(r"(?P<mark>[:-])(?P<number>[0-9]{1,9})(?P=mark)|^(?P<first>[0-9]{1,9})[:-]")
_HEAD = 300
_TRIES = 8
FEW = 3
SHARE = 0.8
SEPARATOR = "--"
"""Between groups of lines that do not follow each other in the file."""


def find_context(lines: list[str]) -> Each | None:
    """Find the name of the file that all lines begin with, if `-` stands around some of the numbers."""
    used = [line for line in lines if line and line != SEPARATOR]
    if len(used) < FEW:
        return None
    for found, _ in zip(_NUMBER.finditer(used[0][:_HEAD]), range(_TRIES), strict=False):
        head = re.compile(_expression(used[0][: found.start()]))
        matched = [match for line in used if (match := head.match(line)) is not None]
        if len(matched) >= SHARE * len(used) and _is_context(matched, groups=SEPARATOR in lines):
            return Each(lambda line, head=head: _without(line, head))  # type: ignore[misc]
    return None


def _expression(name: str) -> str:
    return (
        rf"{re.escape(name)}(?P<mark>[:-])(?P<number>[0-9]{{1,9}})(?P=mark)"
        if name
        else r"(?P<number>[0-9]{1,9})(?P<mark>[:-])"
    )


def _is_context(found: Sequence[re.Match[str]], *, groups: bool) -> bool:
    numbers = [checked_integer(match["number"]) for match in found]
    by_one = sum(after == first + 1 for first, after in pairwise(numbers))
    rising = all(after > first for first, after in pairwise(numbers))
    around = any(match["mark"] == "-" for match in found)
    return rising and around and (groups or by_one >= SHARE * (len(numbers) - 1))


def _without(line: str, head: re.Pattern[str]) -> str:
    if line == SEPARATOR:
        return ""
    found = head.match(line)
    return line if found is None else line[found.end() :]
