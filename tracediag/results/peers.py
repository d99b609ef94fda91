"""The result of `peers`, as plain values between reading and rendering.

Times are seconds. None means that the trace does not show the value.
"""

from __future__ import annotations

import msgspec

from tracediag.results.tables import Source


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """One peer, and what was exchanged with it."""

    peer: str
    """"192.0.2.1:443", "[::1]:80", "/run/x.sock", "@name"; of clients the host alone, or "" if they have no name."""
    client: bool
    """Whether the peer came to the traced program, through accept or with a datagram; else the program addressed it."""
    local: str | None
    """For clients: the address of the traced program at which they came."""
    names: tuple[str, ...]
    """The names that DNS answers in the trace give for the address, at most four."""
    connections: int
    """Connections made, accepted or open before the trace began; failed ones are only in `errors`."""
    errors: dict[str, int]
    """How many calls failed with which error: connect, what SO_ERROR reported of it, and transfers."""
    bytes_sent: int
    bytes_received: int
    calls: int
    """Calls that connect, accept and move data."""
    asked: dict[str, int]
    """The first request of each connection as far as the trace shows it, with how often: at most eight."""
    asked_otherwise: int
    """Connections with further first requests."""
    programs: tuple[str, ...]
    """The programs that talked to it, at most eight; the file names of their executables."""
    first_line: int
    first_time: float | None
    last_time: float | None
    inside: float | None
    """How long the calls took together (`-T`)."""


class Peers(msgspec.Struct, frozen=True, kw_only=True):
    """The peers of a trace."""

    source: Source
    peers: tuple[Peer, ...]
    """Those with errors first, then those with the most bytes."""
    left_out: int = 0
    """Calls on peers beyond the first 16,384."""
