"""What a rule says: a chain of steps with proof, a reason and a remedy.

A `Finding` is a frozen value; formats render it and decide nothing. Severity, confidence and maturity are
three separate statements. The fingerprint tells equal findings of two recordings apart from new ones: it is made of
the rule and the shape of the chain, without pids, times, numbers and addresses.
"""

from __future__ import annotations

import enum
import hashlib
import re

import msgspec

from tracediag.trace.events import Begun, Record, Syscall


class Severity(enum.StrEnum):
    """How bad the consequence is; the order of definition is the order of rank."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Confidence(enum.StrEnum):
    """How sure the trace makes it; the order of definition is the order of rank."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Maturity(enum.StrEnum):
    """How long a rule has proved itself."""

    STABLE = "stable"
    PREVIEW = "preview"


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
    """Seconds, in the trace's own clock."""
    repeats: int = 1
    """How many like records this step stands for."""
    last_line: int | None = None
    """The last of them, where there are more than one."""


class Absence(msgspec.Struct, frozen=True, kw_only=True):
    """What did not happen, and the lines between which it did not."""

    text: str
    first_line: int
    last_line: int


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
    steps: tuple[Step, ...]
    absent: tuple[Absence, ...] = ()
    why: str
    fix: str
    explains: tuple[tuple[str, int], ...] = ()
    """Findings that follow from this one, as (rule name, line of their primary step)."""
    count: int = 1
    """How many like incidents this stands for; the steps show the first."""

    @property
    def primary(self) -> Step:
        """The step that the finding is about."""
        return next(step for step in self.steps if step.primary)

    @property
    def fingerprint(self) -> str:
        """16 hex digits, the same for the same fault in another recording."""
        shape = "\n".join((self.code, *map(_shape, self.steps)))
        return hashlib.sha256(shape.encode(errors="backslashreplace")).hexdigest()[:16]


_CALL = re.compile(r"^(?:<\.\.\. )?(\w+)")
_ERRNO = re.compile(r"= -1 (E[A-Z0-9]+)")
_NUMBER = re.compile(r"\b(?:0x[0-9a-f]+|\d[\d.,:]*)")


def _shape(step: Step) -> str:
    """Return what stays of a step from one recording to the next: the call, its error and the words of the note."""
    call, errno = _CALL.match(step.text), _ERRNO.search(step.text)
    return f"{call and call[1]} {errno and errno[1]} {_NUMBER.sub('#', step.note)}"


def step(event: Syscall | Begun | Record, note: str, *, primary: bool = False) -> Step:
    """Make a step of an event: its line, its text and what it means here."""
    return Step(line=event.line, text=event.text, note=note, primary=primary, pid=event.pid, time=event.time)


class Sample(msgspec.Struct, frozen=True):
    """A line that was not understood."""

    line: int
    text: str


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, and how much of it was understood."""

    path: str
    lines: int = 0
    calls: int = 0
    signals: int = 0
    exits: int = 0
    not_understood: int = 0
    samples: tuple[Sample, ...] = ()
    """The first few lines not understood."""


class Blind(msgspec.Struct, frozen=True):
    """A rule that could not judge, and what the recording lacks for it."""

    rule: str
    needs: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that an analysis has to say, in order of rank: causes before their symptoms, the worst first."""

    input: Input
    findings: tuple[Finding, ...] = ()
    blind: tuple[Blind, ...] = ()
    advice: str | None = None
    """How to record better, in one strace command; None where nothing was missing."""
