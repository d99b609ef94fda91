"""The results of `summary` and `tree`, as plain values between counting and rendering.

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


class Thread(msgspec.Struct, frozen=True):
    """One thread of a process, its first one not among them."""

    tid: int | None
    started: float | None
    ended: float | None
    calls: int


class Killer(msgspec.Struct, frozen=True):
    """Who sent the signal that ended a process."""

    pid: int
    call: str
    """The call that sent it, "" if only the siginfo names the sender."""
    line: int
    """Where the trace shows it."""


class Program(msgspec.Struct, frozen=True):
    """A program that a process became by execve."""

    command: tuple[str, ...]
    """Its arguments, the path of the program where the trace does not show them."""
    shortened: bool
    """Whether strace cut the list or one of the strings."""
    line: int
    time: float | None


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One process, with those that it made."""

    pid: int | None
    first_line: int
    born: bool
    """Whether the trace shows its birth; False for one that was there before."""
    programs: tuple[Program, ...]
    """In order; empty where it runs the program of its parent, or one that the trace does not name."""
    started: float | None
    ended: float | None
    """None while it runs at the end of the trace."""
    status: int | None = None
    signal: str | None = None
    core_dumped: bool = False
    running: bool
    """Whether the trace ends before it does."""
    killer: Killer | None = None
    signals: dict[str, int]
    """How often each signal was delivered to it."""
    calls: int
    threads: tuple[Thread, ...]
    children: tuple[Node, ...]


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """The processes of one trace."""

    source: Source
    start: float | None
    """The time of the first record: what the times are shown relative to."""
    roots: tuple[Node, ...]
