"""One call explained, as plain values between the model and rendering.

Lines are those of the trace; None means that the trace does not show the value. Times are seconds.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tracediag.results.grades import Severity
from tracediag.trace.stacks import Frame


class Verdict(StrEnum):
    """Whether the result of a call is normal."""

    NORMAL = "normal"
    """Success, or a failure that is part of normal work."""
    NOTABLE = "notable"
    """It depends on what the program does next."""
    FAILED = "failed"
    """A failure that a program has to handle."""
    PENDING = "pending"
    """The call has not returned."""


class Parameter(msgspec.Struct, frozen=True):
    """One argument of the call."""

    name: str
    """The manual's name of the parameter; "" if it has none."""
    value: str
    """The argument as recorded."""
    meaning: str = ""
    """What a descriptor refers to and since when; what a pid names."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Another call on the same object."""

    line: int
    pid: int | None
    time: float | None
    text: str
    """The record, without pid and time."""
    note: str
    """Which object it shares with the explained call."""


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that has the call as a step."""

    code: str
    name: str
    severity: Severity
    title: str
    line: int
    """The line of its primary step."""
    step: int
    """The number of the step, from 1."""
    note: str
    """What the step means in that finding."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One call: what it does, on what, with which result, and what stands around it."""

    path: str
    """The trace."""
    line: int
    last_line: int
    """The line of its second half; `line` if it is on one line."""
    pid: int | None
    program: str | None
    time: float | None
    start: float | None
    """The time of the first record."""
    duration: float | None
    call: str
    text: str
    """The record, without pid and time; halves joined."""
    sentence: str
    """What the call does here, in one sentence."""
    parameters: tuple[Parameter, ...]
    result: str
    """What the result means."""
    verdict: Verdict
    reason: str
    """Why the result is normal, or what it means for the program."""
    before: tuple[Moment, ...]
    after: tuple[Moment, ...]
    findings: tuple[Use, ...]
    stack: tuple[Frame, ...] = ()
    """Where in the program the call was made, the innermost frame first; () unless recorded with `strace -k`."""
    damage: str | None = None
    """What of the trace could not be read."""
