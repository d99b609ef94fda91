"""How one process ended, and why: what `verdicts` finds, and what rules report of it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.blame import Blame
from tracediag.evidence.exits import manner
from tracediag.results.findings import Severity
from tracediag.results.overview import Words
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit, Message


class Verdict(msgspec.Struct, eq=False):
    """How one process ended, and why."""

    pid: int | None
    program: str | None
    end: Exit | Syscall | None
    """Its exit, or its exit_group where the trace ends before, or the wait for a child not followed; None while
    it runs."""
    status: int | None
    signal: str | None
    from_start: bool = False
    """Whether the trace shows it from its start: if not, an earlier failure may be the cause."""
    blame: Blame | None = None
    """Its own failed call."""
    complaint: Message | None = None
    """Its last write to fd 2."""
    lost: Message | None = None
    """The message in which it misses privileges that strace has taken away: `evidence.set_id`."""
    child: Verdict | None = None
    """The child that caused its bad end."""
    waited: Syscall | None = None
    """The call that reported the child's end to its parent."""
    held: bool = False
    """Whether its end closed the pipe or socket that its parent wrote to."""
    followed: bool = True
    """Whether strace followed it; if not, only its parent's wait shows its end."""
    overheard: Words | None = None
    """Of a child not followed: what it printed into the trace."""
    ordered_by: int | None = None
    """The pid that sent the signal that killed it, as the signal shows it."""
    ended_by_parent: bool = False
    """Whether its parent sent the signal that ended it: then its end is an effect, not a cause."""
    tolerated: list[Verdict] = msgspec.field(default_factory=list)
    """Children that ended badly without causing its own end."""

    @property
    def bad(self) -> bool:
        """Whether it ended badly: `Process.ended_badly`."""
        return bool(self.status) or self.signal is not None

    @property
    def stripped(self) -> bool:
        """Whether it failed for want of privileges that strace has taken away."""
        return self.lost is not None or (self.blame is not None and self.blame.by_strace)

    @property
    def manner(self) -> str:
        """How it ended, as a verb: "exits with status 1"."""
        if self.end is not None and not self.followed:
            return f"exits with status {self.status}" if self.signal is None else f"is killed by {self.signal}"
        return "lives" if self.end is None else manner(self.end)

    @property
    def depth(self) -> Verdict:
        """The process at the bottom of the chain: the first to fail."""
        return self if self.child is None else self.child.depth


def failures(verdict: Verdict) -> Iterator[tuple[Verdict, Severity]]:
    """Yield the processes to report, with the severity of their failure."""
    if verdict.bad:
        yield verdict.depth, Severity.ERROR
    for link in chain(verdict):
        severity = Severity.WARNING if link.end is None or link.bad else Severity.NOTE
        for child in link.tolerated:
            # A parent that ended well, or ran on for long, expected the command to fail.
            yield from ((found, max(severity, what, key=list(Severity).index)) for found, what in failures(child))


def chain(verdict: Verdict) -> Iterator[Verdict]:
    """Yield a verdict and those that it caused, the process at the top first."""
    link: Verdict | None = verdict
    while link is not None:
        yield link
        link = link.child
