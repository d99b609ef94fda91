"""What the living host shows about the failed calls of a report, where `analyze --here` asked for it.

It is what is true now, on the host of the analysis: no evidence of what was true when the trace was recorded, nor on
the host where that was.
"""

from __future__ import annotations

import msgspec


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What the host shows about one call of a finding that failed, or that waits for a lock."""

    finding: str
    """The fingerprint of the finding."""
    line: int
    """The line of the call."""
    call: str
    """The name of the call: "openat"."""
    errno: str
    """"" of a call that waits for a lock."""
    object: str
    """What was looked at: a path, an address; "" for the host as such."""
    facts: tuple[str, ...]
    """What is true now, each one sentence without a full stop."""


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """The host at the time of the analysis."""

    host: str
    """Its name."""
    time: str
    """When it was looked at, in UTC: "2026-11-28T13:00:00Z"."""
    looks: tuple[Look, ...] = ()
