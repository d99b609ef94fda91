"""The life of one object of a trace, as plain values between the model and rendering.

Lines are those of the trace; None means that the trace does not show the value. Times are seconds.
"""

from __future__ import annotations

import msgspec


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the life, or several like ones in a row."""

    line: int
    pid: int | None
    time: float | None
    end: str
    """Which end it happened at: "A" or "B", with a number before it if several connections are followed; or ""."""
    text: str
    """The record, without pid and time."""
    note: str
    """What it means for the object: "creates fd 7", "pid 13 inherits fd 7", "closes fd 7"."""
    repeats: int = 1
    """How many like records this stands for."""
    last_line: int | None = None
    """The last of them, where there are more than one."""


class Piece(msgspec.Struct, frozen=True):
    """Bytes that the trace shows, and how many follow that it does not."""

    data: bytes
    missing: int = 0


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """The data of one call."""

    line: int
    pid: int | None
    time: float | None
    written: bool
    """Whether the call writes; else it reads."""
    pieces: tuple[Piece, ...]
    address: str | None = None
    """The address of a datagram's receiver or sender, if the call shows it."""

    @property
    def length(self) -> int:
        """How many bytes the call moved."""
        return sum(len(piece.data) + piece.missing for piece in self.pieces)

    @property
    def missing(self) -> int:
        """How many of them the trace does not show."""
        return sum(piece.missing for piece in self.pieces)


class End(msgspec.Struct, frozen=True, kw_only=True):
    """One open file description: an end of a connection or pipe, or an open file."""

    name: str
    kind: str
    what: str | None
    local: str | None = None
    """The address of this end of a connection."""
    peer: str | None = None
    accepted: bool = False
    """Whether the peer made the connection."""
    datagrams: bool = False
    line: int | None
    """The line of the call that created it."""
    time: float | None
    closed_line: int | None = None
    """What closed the last descriptor of it."""
    closed_time: float | None = None
    other: str = ""
    """The name of the other end, if the trace shows it."""
    chunks: tuple[Chunk, ...] = ()
    """The data of its calls in order; only if asked for."""
    sent: int = 0
    """Bytes that writes on it moved."""
    received: int = 0
    """Bytes that reads on it moved."""
    unseen: int = 0
    """How many of these the trace does not show, because strace cut the strings (-s)."""


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to one object, or to all of one kind, in order."""

    path: str
    """The trace."""
    asked: str
    start: float | None
    """The time of the first record."""
    ends: tuple[End, ...]
    happenings: tuple[Happening, ...]
    left_out: int = 0
    """Happenings between the first and the last ones that are not listed."""
    damage: str | None = None
    """What of the trace could not be read."""
