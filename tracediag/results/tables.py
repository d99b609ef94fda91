"""The results of `summary`, as plain values between counting and rendering.

Times are seconds. None means that the trace does not show the value.
"""

from __future__ import annotations

import msgspec


class Source(msgspec.Struct, frozen=True):
    """One trace that was read."""

    path: str
    lines: int
    calls: int
    """Complete calls, joined ones counted once."""
    not_understood: int
    damage: str | None = None
    """What of the source could not be read, in one sentence; None where all of it was read."""


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """How long the calls of a row took. The percentiles are at most 0.5 % off, the others exact.

    Of a table of `strace -c` only the sum is known, which is CPU time in the kernel unless it was recorded with `-w`.
    """

    total: float
    share: float
    """Of the time of all rows, between 0 and 1."""
    mean: float
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The calls that have something in common: their name, error, process, file or peer."""

    name: str
    """What they have in common: "read", "ENOENT", "29458", "/etc/passwd", "127.0.0.1:80"."""
    note: str = ""
    """More about it: the command line of a process."""
    calls: int
    """All calls, those that never returned among them."""
    errors: int
    never_returned: int
    times: Times | None
    """None where no call of the row shows its duration."""
    parts: dict[str, int]
    """How many of the calls failed with which error; of errors, files and peers: how many were which call."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one table."""

    by: str
    sources: tuple[Source, ...]
    rows: tuple[Row, ...]
    total: Row
    timed: bool
    """Whether any call shows its duration (`-T`)."""
    left_out: int = 0
    """Rows beyond the limit."""
    elsewhere: int = 0
    """Calls that belong to no row: those without an error, or that act on no file or peer."""
