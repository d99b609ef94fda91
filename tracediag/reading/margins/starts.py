"""Where in a line the record of strace begins: first its own prefix, then the call or the mark."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from tracediag.reading.damage import is_known, is_strong
from tracediag.reading.frame import read_frame
from tracediag.trace.patterns import lazy_pattern

_MARK = (
    r"<\.\.\. (?:[\w?]++ )?resumed>|--- (?:SIG|stopped by SIG)|\+\+\+ (?:exited with|killed by|superseded by) "
    r"|(?:strace: )?Process [0-9]++ (?:attached|detached)"
)
_START = lazy_pattern(
    rf"(?<![A-Za-z_$])(?<![A-Za-z_]\.)(?:(?:[a-z_][a-z0-9_]{{0,40}}+|SYS_[0-9]{{1,9}}+|\?{{3,4}}+)\(|{_MARK})"
)
_OWN = lazy_pattern(
    r"""
    (?>(?:\[?p)?id[ ]++[0-9]{1,10}+(?:<[^<>]*+>)?\][ ]++|(?P<pid>[0-9]{1,8}+)(?:<[^<>]*+>)?[ ]++)?+
    (?>\[(?!pid[ ])[A-Za-z_][^\]\[ :]*+:[^\]\[ ]*+\][ ])?+
    (?>(?P<time>[0-9][0-9]:[0-9][0-9]:[0-9][0-9](?:[.,][0-9]++)?|[0-9]{10}+(?:\.[0-9]++)?)[ ]++)?+
    (?>[ ]*+[0-9]{1,8}+\.[0-9]++[ ]++|(?<=[ ]{3})[0-9]{1,6}+[ ]++|\(\+[ ]*+[0-9]++(?:\.[0-9]++)?\)[ ]++)?+
    (?>(?=\[[ 0-9]{4,7}\])\[[ ]*+[0-9]++\][ ])?+
    (?>\[[ ]*+[0-9a-f?]{8,16}+\][ ])?+
    """,
    re.VERBOSE,
)
"""The prefix that strace itself prints; unlike in `prefix`, no number directly before the name is a time."""
_CUT = lazy_pattern(r"(?:<\.\.\.(?: [\w?]++)?|---|\+\+\+(?: exited(?: with)?| killed(?: by)?)?)? ?$")
_BOUND = lazy_pattern(
    r"(?<![\w.])(?<!:[0-9]{2},)(?<![0-9][-+/])(?=[\[(0-9])|(?=\[pid )"
    r"|(?<=[0-9]-)(?<!-[0-9]{2}-)(?<!:[0-9]{2}-)(?=[0-9]{3,8} )"
)
"""Where strace's own prefix may begin: not within a number, a date, or a fraction."""
_RELATIVE = lazy_pattern(r"([0-9]{1,8}+)\.[0-9]++ ")
_MONTH = lazy_pattern(r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*+\.? +(?:[0-9]{1,2}+,? +)?$")
_CTIME = lazy_pattern(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b.*[0-9]:[0-9]{2}(?:\.[0-9]++)?(?: [A-Z]{2,5})? +$")
_HOUR = lazy_pattern(r"(?:(?<=[0-9]{2}:)|(?<=[+-][0-9]:))[0-9]{2} |0[0-9]")
"""The minutes of a time or of a zone, or a number that is no pid."""
_YEAR = lazy_pattern(r"20[0-9]{2} ")
LONGEST = 400
"""A head of more characters is none."""
TRIES = 8
BOUNDS = 24
KEPT = 4096
"""Longer lines are not remembered."""
CACHED = 2048
"""Lines whose start is remembered: those of the sample, as several undoings ask about them."""


class Head(NamedTuple):
    """What stands in a line before the call or the mark."""

    line: str
    own: int
    """Where strace's own prefix begins: the text before it is margin."""
    start: int
    """Where the record begins."""
    pid: str
    """The bare number that strace's own prefix begins with; "" without one."""
    timed: bool
    """Whether strace's own prefix has a time."""
    strong: bool
    """Whether the record is complete and certainly strace's."""

    @property
    def margin(self) -> str:
        """The text before strace's own prefix."""
        return self.line[: self.own]


def start_of(line: str) -> int:
    """Return where the first record in a line begins; -1 if there is none."""
    return _start_kept(line) if len(line) <= KEPT else _start(line)


def _start(line: str) -> int:
    at = 0
    for _ in range(TRIES):
        found = _START.search(line, at, at + LONGEST + 64)
        if found is None or found.start() > LONGEST:
            return -1
        frame = read_frame(line[found.start() :])
        if frame is not None and is_known(frame):
            return found.start()
        at = found.end()
    return -1


def is_start(line: str) -> bool:
    """Return whether a line is a record, or the first part of one, without any margin."""
    own = _OWN.match(line)
    at = 0 if own is None else own.end()
    if _START.match(line, at) is None:
        return False
    frame = read_frame(line[at : at + LONGEST])
    return frame is not None and is_known(frame)


def is_prefix(line: str) -> bool:
    """Return whether a line is what strace prints before a record, or the first words of a mark, and nothing else."""
    own = _OWN.match(text := f"{line} ")
    return bool(line) and _CUT.match(text, 0 if own is None else own.end()) is not None


def head_of(line: str) -> Head | None:
    """Return the head of a line; None if no record of strace is in it."""
    return _head_kept(line) if len(line) <= KEPT else _head(line)


def _head(line: str) -> Head | None:
    start = start_of(line)
    if start < 0:
        return None
    frame = read_frame(line[start:])
    for at in _bounds(line, start):
        own = _OWN.fullmatch(line, at, start)
        if own is not None and not _is_date(line, at, own["pid"]):
            first = at - _padding(line, at) if own["pid"] is None else at
            return Head(line, first, start, own["pid"] or "", own["time"] is not None, is_strong(frame))
    return Head(line, start, start, "", timed=False, strong=is_strong(frame))


def _padding(line: str, at: int) -> int:
    """Return how many blanks before a relative time are strace's own: it prints six columns before the point."""
    relative = _RELATIVE.match(line, at)
    if relative is None:
        return 0
    return min(max(0, 6 - len(relative[1])), at - len(line[:at].rstrip(" ")))


def _bounds(line: str, start: int) -> list[int]:
    bounds = [0]
    for found in _BOUND.finditer(line, 1, start):
        bounds.append(found.start())
        if len(bounds) > BOUNDS:
            break
    return bounds


def _is_date(line: str, at: int, pid: str | None) -> bool:
    """Return whether the number at a place is a day, a year or a part of a time, and no pid."""
    if not at or pid is None:
        return False
    if _HOUR.match(line, at) is not None:
        return True
    return _MONTH.search(line, 0, at) is not None or (
        _YEAR.match(line, at) is not None and _CTIME.match(line, 0, at) is not None
    )


def forget() -> None:
    """Drop the lines remembered."""
    _start_kept.cache_clear()
    _head_kept.cache_clear()


_start_kept = lru_cache(maxsize=CACHED)(_start)
_head_kept = lru_cache(maxsize=CACHED)(_head)
