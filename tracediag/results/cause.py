"""Why a program printed a message, as plain values between the model and rendering."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tracediag.results.findings import Step
from tracediag.results.grades import Confidence


class Origin(StrEnum):
    """Where a message comes from."""

    FAILED_CALL = "failed call"
    """A call of the program failed, and the message is about it."""
    CHILD = "child"
    """A child of the program ended badly, and the message is about that."""
    READ = "read"
    """The program read the text, from a peer or a file, and printed it."""
    OWN = "own"
    """No call failed: the text is the program's own."""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """The write that printed a message, and what is behind it."""

    path: str
    """The trace."""
    message: str
    """The words asked for."""
    line: int
    """The line of the write, of the last one if it took several."""
    pid: int | None
    program: str | None
    where: str
    """What it was written to: "fd 2", "fd 3 = /var/log/x.log", "the output of the program"."""
    text: str
    """The message as the program printed it, as far as the trace shows it."""
    complete: bool
    """Whether the trace shows all of the words; else only their beginning, because strace cut the string."""
    origin: Origin
    reason: str
    """The answer in one sentence."""
    confidence: Confidence
    steps: tuple[Step, ...]
    """The chain in order; the primary one is the failed call, or else the write."""
    times: int = 1
    """How many times the trace shows the message being written."""
    last_line: int | None = None
    """The last of them, where there are more than one."""
    damage: str | None = None
    """What of the trace could not be read."""
