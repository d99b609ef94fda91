"""The results of `grep`, as plain values between searching and rendering.

Times are seconds. None means that the trace does not show the value.
"""

from __future__ import annotations

import msgspec

from tracediag.results.tables import Source


class FoundCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a match, its halves joined."""

    line: int
    end_line: int
    """The line of its second half; `line` itself if the call is on one line."""
    pid: int | None
    time: float | None
    name: str
    text: str
    """The call as recorded, without pid and time."""
    result: int | None
    errno: str | None
    duration: float | None


class Reason(msgspec.Struct, frozen=True):
    """A part of the query that is true of the call."""

    part: str
    """As written in the query."""
    value: str
    """What it was compared with."""


class Context(msgspec.Struct, frozen=True):
    """A line near a match, or a call on the same object."""

    line: int
    pid: int | None
    time: float | None
    text: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One match."""

    calls: tuple[FoundCall, ...]
    """The call; of a sequence, one for each step; of a count, the first and the last."""
    object: str = ""
    """What the calls of a sequence have in common: "fd 5 = TCP 127.0.0.1:80 <- 127.0.0.1:4242"."""
    count: int = 1
    """The number of calls that the match stands for."""
    why: tuple[Reason, ...] = ()
    before: tuple[Context, ...] = ()
    after: tuple[Context, ...] = ()


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The matching calls with one value of a field."""

    value: str
    """The value; "" for calls that have none."""
    calls: int
    total: float | None
    """The time inside these calls; None if none shows its duration."""
    first: int
    """The line of the first."""


class Groups(msgspec.Struct, frozen=True, kw_only=True):
    """The matching calls, grouped by a field."""

    source: Source
    query: str
    by: str
    calls: int
    """All matching calls."""
    groups: tuple[Group, ...]
    """The largest first."""
    left_out: int = 0
    """Groups beyond the limit."""


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """All matches of a query in one trace."""

    source: Source
    query: str
    matches: tuple[Found, ...]
