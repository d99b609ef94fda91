"""The prefix of a record: pid, security context, times, syscall number, instruction pointer.

strace always prints these in that order, each followed by a blank. One line cannot show what a bare leading number is
(a pid, seconds since the epoch, seconds since the last record): see `dialect`.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from tracediag.trace.numbers import checked_integer, checked_seconds

Bare = Literal["pid", "relative"]
"""The meaning of a short number at the start of a line. A long one is always seconds since the epoch."""
TimeKind = Literal["none", "epoch", "clock", "relative"]
"""Epoch: `-ttt`; clock: seconds since midnight, `-t` and `-tt`; relative: `-r` alone."""

_PREFIX = re.compile(
    r"""[ ]*+
    (?>\[pid[ ]++(?P<bracket>[0-9]{1,10}+)(?:<[^<>]*+>)?\][ ]++
      |(?P<bare>[0-9]{1,8}+)(?:<[^<>]*+>)?(?:[ ]++|$))?+
    (?>(?P<context>\[(?!pid[ ])[A-Za-z_][^\]\[ ]*+\][ ]))?+
    (?>(?P<clock>[0-9][0-9]:[0-9][0-9]:[0-9][0-9](?:[.,][0-9]++)?)[ ]++|(?P<epoch>[0-9]{10}+(?:\.[0-9]++)?)[ ]++)?+
    (?>(?P<relative>[0-9]{1,8}+(?:\.[0-9]++)?)[ ]++|\(\+[ ]*+(?P<since>[0-9]++(?:\.[0-9]++)?)\)[ ]++)?+
    (?>(?P<number>\[[ ]*+[0-9]{1,7}+\][ ]))?+
    (?>(?P<pointer>\[[ ]*+[0-9a-f?]{8,16}+\][ ]))?+
    """,
    re.VERBOSE,
)

_WRAP = 43200.0
_DAY = 86400.0
_REMEMBERED = 8


class Prefix(msgspec.Struct):
    """The fields found before the body, and where the body begins."""

    end: int
    pid: int | None = None
    style: Literal["none", "bracket", "file"] = "none"
    kind: TimeKind = "none"
    stamp: str = ""
    extras: tuple[bool, bool, bool, bool] = (False, False, False, False)
    """Whether there is a context, a second (relative) time, a syscall number or an instruction pointer."""


def read_prefix(line: str, bare: Bare = "pid") -> Prefix:
    """Parse the prefix of a line; a line without one has an empty prefix."""
    match = _PREFIX.match(line)
    if match is None:
        return Prefix(end=0)
    bracket, short, context, clock, epoch, relative, since, number, pointer = match.groups()
    found = Prefix(end=match.end(), extras=(context is not None, since is not None, bool(number), bool(pointer)))
    if short is not None and bare == "relative" and relative is None:
        short, relative = None, short
    if bracket is not None:
        found.pid, found.style = checked_integer(bracket), "bracket"
    elif short is not None:
        found.pid, found.style = checked_integer(short), "file"
    if clock is not None:
        found.kind, found.stamp = "clock", clock
    elif epoch is not None:
        found.kind, found.stamp = "epoch", epoch
    elif relative is not None:
        found.kind, found.stamp = "relative", relative
    return found


class Clock:
    """Converts the time stamps of one trace to increasing seconds."""

    def __init__(self) -> None:
        self._minutes: dict[str, float] = {}
        self._days = 0.0
        self._last = 0.0
        self._sum = 0.0

    def read(self, kind: TimeKind, stamp: str) -> float | None:
        """Return the seconds of one stamp, or None without one. Relative stamps are summed: call it once per record."""
        if kind == "epoch":
            return checked_seconds(stamp)
        if kind == "clock":
            return self.of_day(stamp)
        if kind == "relative":
            return self.since_start(stamp)
        return None

    def since_start(self, stamp: str) -> float:
        """Return the seconds since the first record, if each stamp counts from the previous one."""
        self._sum += checked_seconds(stamp)
        return self._sum

    def of_day(self, stamp: str) -> float:
        """Return the seconds since the first midnight, which increase across later midnights."""
        minute = stamp[:6]
        base = self._minutes.get(minute)
        if base is None:
            base = self._minutes[minute] = self._new_minute(minute)
        value = base + checked_seconds(stamp[6:].replace(",", "."))
        self._last = value
        return value

    def _new_minute(self, minute: str) -> float:
        base = checked_integer(minute[:2]) * 3600.0 + checked_integer(minute[3:5]) * 60.0 + self._days
        if len(self._minutes) > _REMEMBERED:  # cached minutes would be wrong on the next day
            self._minutes.clear()
        if base + _WRAP < self._last:
            self._minutes.clear()
            self._days += _DAY
            base += _DAY
        elif base > self._last + _WRAP and self._days:  # a late line from before midnight
            return base - _DAY
        return base
