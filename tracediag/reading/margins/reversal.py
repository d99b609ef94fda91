"""A trace whose newest line stands first, as the viewers of logs show it: it is turned round before it is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from tracediag.reading.prefix import read_prefix
from tracediag.trace.numbers import checked_integer, checked_seconds
from tracediag.trace.patterns import lazy_pattern

MOST = 1 << 27
"""So many characters are held to be turned round; a longer text stays as it is."""
FEW = 4
"""Fewer steps back may be chance."""
SHARE = 0.95
_HEAD = 120
_STAMP = lazy_pattern(
    r"(?<![0-9:.])(?:([0-9]{2}):([0-9]{2}):([0-9]{2}(?:[.,][0-9]{1,9})?)|(1[0-9]{9}(?:\.[0-9]{1,9})?))(?![0-9:])"
)
_NUMBER = lazy_pattern(r"[ \t]{0,8}[#L]?([0-9]{1,7})(?:[:.)|]|\t| )")
_HALF = lazy_pattern(r"<\.\.\. (?P<rest>\w+) resumed>|(?P<begun>[a-z_]\w*)\(.*<unfinished \.\.\.>$")
_RECORD = lazy_pattern(r"[a-z_]\w*\(|<\.\.\. |\+\+\+ |--- ")
_STANDING = ("<unfinished ...>", "<detached ...>")
_END = lazy_pattern(r"\+\+\+ (?:exited with|killed by) ")
_LAST = lazy_pattern(r"_?exit(?:_group)?\(|--- SIG|\+\+\+ ")


class Turned:
    """Holds all lines, and returns the last one first."""

    def __init__(self) -> None:
        self._held: list[str] = []
        self._size = 0

    def lines(self, lines: list[str]) -> list[str]:
        """Hold the lines."""
        self._size += sum(map(len, lines))
        if self._size > MOST:
            return self.rest() + lines
        self._held += lines
        return []

    def rest(self) -> list[str]:
        """Return the lines held, the last one first."""
        held, self._held, self._size = self._held, [], 0
        held.reverse()
        return held


def is_newest_first(lines: Sequence[str]) -> bool:
    """Return whether times, numbers or the halves of calls show that each line is older than the one before it."""
    times = _times(lines)
    if _fall(times):
        return True
    return not _fall(times[::-1]) and (_counts_down(lines) or _resumed_first(lines) or _ends_first(lines))


def _times(lines: Sequence[str]) -> list[float]:
    found = []
    for line in lines:
        head = re.split(r'["(]', line[:_HEAD], maxsplit=1)[0]
        if (stamp := _STAMP.search(head)) is not None:
            hours, minutes, seconds, epoch = stamp.groups()
            found.append(
                checked_seconds(epoch)
                if epoch
                else checked_integer(hours) * 3600
                + checked_integer(minutes) * 60
                + checked_seconds(seconds.replace(",", "."))
            )
    return found


def _fall(times: Sequence[float]) -> bool:
    steps = [after - first for first, after in pairwise(times) if after != first]
    return len(steps) >= FEW and sum(step < 0 for step in steps) >= SHARE * len(steps)


def _counts_down(lines: Sequence[str]) -> bool:
    """Return whether the lines are numbered, and each number is one less than that of the line above.

    The numbers of calls that do not return are threads: strace -f -p finds the newest one first.
    """
    if sum(line.rstrip().endswith(_STANDING) for line in lines) >= SHARE * len(lines):
        return False
    numbers = [checked_integer(found[1]) for line in lines if (found := _NUMBER.match(line)) is not None]
    steps = [after - first for first, after in pairwise(numbers)]
    return len(steps) >= FEW and sum(step == -1 for step in steps) >= SHARE * len(steps)


def _resumed_first(lines: Sequence[str]) -> bool:
    """Return whether the second halves of calls stand above the first ones.

    No other line of a thread stands between the halves of its call.
    """
    if sum(" resumed>" in line for line in lines) < FEW:
        return False
    last: dict[int | None, str] = {}
    begun = resumed = before = after = 0
    for line in lines:
        prefix = read_prefix(line[:200])
        found = _HALF.match(line, prefix.end)
        here = "" if found is None else f"R{found['rest']}" if found["rest"] else f"B{found['begun']}"
        previous = last.get(prefix.pid, "")
        if here.startswith("B"):
            begun, before = begun + 1, before + (previous == f"R{here[1:]}")
        elif here:
            resumed, after = resumed + 1, after + (previous == f"B{here[1:]}")
        last[prefix.pid] = here
    return begun >= FEW and before >= 0.9 * begun and 2 * after < resumed


def _ends_first(lines: Sequence[str]) -> bool:
    """Return whether the trace begins with the end of a process, and ends with its execve."""
    found = filter(None, map(_record, lines))
    first, second = next(found, ""), next(found, "")
    if _END.match(first) is None or _LAST.match(second) is None or sum(1 for _ in found) < FEW - 2:
        return False
    return next(filter(None, map(_record, reversed(lines)))).startswith("execve(")


def _record(line: str) -> str:
    """Return a line without strace's prefix, "" if no record stands there."""
    end = read_prefix(line[:200]).end
    return line[end:] if _RECORD.match(line, end) is not None else ""
