"""What a rule reports: a chain of steps as proof, a reason and a fix.

A `Finding` is a frozen value; formats render it and decide nothing. Severity, confidence and maturity are
separate grades. The fingerprint identifies equal findings in two recordings: it is computed from the rule and the
shape of the chain, without pids, times, numbers and addresses.

These structs are also the JSON document: their fields and docstrings generate its schema.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from tracediag.results.fingerprint import fingerprint
from tracediag.results.grades import Confidence, Maturity, Severity
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.records import Record
from tracediag.trace.stacks import Frame

__all__ = ["Absence", "Confidence", "Explained", "Finding", "Maturity", "Severity", "Step", "step"]


_ONE_PRIMARY = {
    "contains": {"properties": {"primary": {"const": True}}, "required": ["primary"]},
    "minContains": 1,
    "maxContains": 1,
}
"""What the JSON Schema says of the steps of a finding."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the trace and what it means for the object of the finding."""

    line: int
    text: str
    """The record as the trace shows it, without pid and time."""
    note: str
    """One clause: lower case, no full stop."""
    primary: bool = False
    pid: int | None = None
    time: float | None = None
    """Seconds, in the trace's own clock: `Scope.times` names it."""
    clock: str | None = None
    """The wall clock: "2023-11-14T22:13:20.052257Z" with `-ttt`, local "14:03:07.052257" with `-t` and `-tt`."""
    repeats: int = 1
    """How many like records this step stands for."""
    last_line: int | None = None
    """The last of them, where there are more than one."""
    stack: tuple[Frame, ...] = ()
    """Where in the program that was, the innermost frame first; () unless the trace has stacks (`strace -k`)."""

    def __repr__(self) -> str:
        mark = ", primary" if self.primary else ""
        return f"<Step line {self.line}{mark}: {_brief(self.text)!r}: {self.note!r}>"


class Absence(msgspec.Struct, frozen=True, kw_only=True):
    """What did not happen, and the lines between which it did not."""

    text: str
    first_line: int
    last_line: int


class Explained(msgspec.Struct, frozen=True):
    """A finding that follows from another: its rule and the line of its primary step."""

    name: str
    line: int


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One diagnosis: the chain in time order with exactly one primary step, why it is wrong, what to do."""

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    maturity: Maturity = Maturity.STABLE
    title: str
    object: str
    """What it happened to: "fd 5 = TCP 127.0.0.1:80 <- 127.0.0.1:4242"."""
    steps: Annotated[tuple[Step, ...], msgspec.Meta(extra_json_schema=_ONE_PRIMARY)]
    absent: tuple[Absence, ...] = ()
    why: str
    fix: str
    explains: tuple[Explained, ...] = ()
    """Findings that follow from this one."""
    explained_by: str | None = None
    """The fingerprint of the finding in the same report that this one follows from."""
    count: int = 1
    """How many like incidents this stands for; the steps show the first."""
    fingerprint: str = ""
    """16 hex digits, the same for the same fault in another recording; always worked out from the chain."""

    def __post_init__(self) -> None:
        """Work out the fingerprint; ValueError for a finding without a primary step."""
        if not any(step.primary for step in self.steps):
            raise ValueError(f"the finding {self.name} has no primary step")
        digest = fingerprint(self.code, ((step.text, step.note) for step in self.steps))
        msgspec.structs.force_setattr(self, "fingerprint", digest)

    @property
    def primary(self) -> Step:
        """The step that the finding is about."""
        return next(step for step in self.steps if step.primary)

    def __repr__(self) -> str:
        return f"<Finding {self.severity} {self.code} {self.name} at line {self.primary.line}: {self.title!r}>"


_BRIEF = 60
"""Characters of a record in the repr of a step."""


def _brief(text: str) -> str:
    return text if len(text) <= _BRIEF else f"{text[: _BRIEF - 1]}…"


def step(event: Syscall | Begun | Record, note: str, *, primary: bool = False) -> Step:
    """Make a step of an event: its line, its text and what it means here."""
    return Step(
        line=event.line,
        text=event.text,
        note=note,
        primary=primary,
        pid=event.pid,
        time=event.time,
        stack=event.stack,
    )
