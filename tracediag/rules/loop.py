"""What all rules about spins share: they count turns in a row of one loop that get nowhere with one descriptor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tracediag.evidence.steps import last_line, repeated
from tracediag.kernel import Action, Kernel
from tracediag.kernel.calls.waiting import selected
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.epoll import EpollSet, Readiness, Round
from tracediag.kernel.process import Thread
from tracediag.results.findings import Confidence, Finding, Severity, Step
from tracediag.rules.base import Rule, on_release, on_round, on_trace_end
from tracediag.trace.calls import SELECTS
from tracediag.trace.events import Syscall

SURE = 10
"""Turns in a row from which on it is a spin and no accident."""

WORTH_A_WORD = 3

_NUMBERS = 1 << 16
"""Data below this may be the number of the descriptor; most else is an address."""
_KEPT = 500

SLOW = 0.05
"""Seconds a turn on average from which on it is no spin: something else sets the pace."""


@dataclass(slots=True)
class Spin:
    """Turns of one loop in which it is woken for one descriptor and for nothing else, and nothing is gained."""

    descriptor: Descriptor
    thread: Thread
    loop: EpollSet | Thread
    report: Readiness
    wait: Syscall
    first: Syscall
    times: int = 0
    aside: int = 0
    """Turns since in which the same was reported, and the loop had other work as well."""
    second: Syscall | None = None
    last: Syscall | None = None
    partial: bool = False
    """Whether the recording leaves calls on the descriptor out."""

    def turn(self, call: Syscall) -> None:
        """Count one more turn, shown by this call."""
        self.times += 1
        if self.times == 2:
            self.second = call
        self.last = call

    def again(self, note: str) -> Iterator[Step]:
        """Yield the step that stands for all turns after the first."""
        if self.second is not None and self.last is not None:
            yield repeated(self.second, note, self.times - 1, self.last.line)

    @property
    def worth_a_word(self) -> bool:
        """Whether it was often and fast enough; without times it is taken to be fast."""
        return self.times >= WORTH_A_WORD and (self.period or 0) <= SLOW

    @property
    def confidence(self) -> Confidence:
        """How sure it is that this goes on for ever."""
        if self.times >= SURE:
            return Confidence.CERTAIN
        return Confidence.LIKELY if self.times >= WORTH_A_WORD else Confidence.POSSIBLE

    @property
    def inaction(self) -> Confidence:
        """How sure it is that nothing was done: what was may be left out of the recording as well."""
        sure = self.confidence
        return Confidence.LIKELY if self.partial and sure is Confidence.CERTAIN else sure

    @property
    def severity(self) -> Severity:
        """An error, but for a guess from an excerpt."""
        return Severity.WARNING if self.confidence is Confidence.POSSIBLE else Severity.ERROR

    def title(self, what: str) -> str:
        """Say what happens, or what would."""
        return f"if this repeats, {what}" if self.confidence is Confidence.POSSIBLE else what

    @property
    def period(self) -> float | None:
        """Seconds from one turn to the next, on average; None where the trace does not tell."""
        last = self.last
        if last is None or self.first.time is None or last.time is None or self.times < 2:
            return None
        return (last.time - self.first.time) / (self.times - 1)


def is_idle(turn: Round) -> bool:
    """Whether the wait came back with nothing: then nothing can have been spinning."""
    return turn.wait.result == 0


def _left_out_next(report: Readiness, turn: Round) -> bool:
    """Whether the poll or select that ended the turn no longer asks for what was reported."""
    following, number = turn.ended_by, report.number
    if turn.epoll is not None or following is None or number is None:
        return False
    if following.name in SELECTS:
        return number not in selected(following)
    return f"fd={number}," not in following.body and f"fd={number}<" not in following.body


class SpinRule(Rule):
    """A rule about one kind of spin: it says what a turn has got of a descriptor, and tells of a spin that is over."""

    alone: ClassVar[bool] = True
    """Whether only turns without other work are counted."""
    half_turns: ClassVar[bool] = False
    """Whether a turn that the end of the trace cuts short is judged, too, where the trace is no excerpt."""

    def __init__(self) -> None:
        self._spins: dict[int, Spin] = {}
        self._stand_ins: dict[tuple[int, int], Descriptor] = {}
        """What stands for a descriptor that no line has named yet, by set and data."""

    def gained(self, report: Readiness, turn: Round) -> bool | None:
        """Whether a turn got anywhere with what was reported: False is a turn wasted, None is another rule's matter."""
        raise NotImplementedError

    def told(self, spin: Spin, until: int) -> Finding | None:
        """Make the finding of a spin that went on up to a line, if it is to be told."""
        raise NotImplementedError

    def subject(self, report: Readiness, turn: Round) -> Descriptor | None:
        """Return what was reported, or a stand-in where birth, registration and use are all outside the trace."""
        data = report.data
        if turn.epoll is None or turn.set_descriptor is None or data is None or not 0 <= data < _NUMBERS:
            return report.descriptor
        key = (id(turn.epoll), data)
        if report.descriptor is not None:
            stood_in = self._stand_ins.pop(key, None) if self._stand_ins else None
            self._spins.pop(id(stood_in), None)
            return report.descriptor
        if data in turn.set_descriptor.table.last_closed:
            return None  # events for a closed number are another story: stale-epoll-registration
        if key not in self._stand_ins and len(self._stand_ins) < _KEPT:
            # Most programs store the number itself.
            self._stand_ins[key] = Descriptor(data, OpenFile(), turn.set_descriptor.table)
        return self._stand_ins.get(key)

    def shown_by(self, report: Readiness, turn: Round) -> Syscall:
        """Return the call that shows the turn to be wasted."""
        del report
        return turn.wait

    @on_round
    def turned(self, action: Action) -> Iterator[Finding]:
        """Count the turns in a row that got nowhere."""
        if action.finished is not None:
            yield from self._take(action.finished, action.thread)

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """A close ends the spin."""
        for descriptor in action.released:
            yield from self._over(descriptor, action.event.line)

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """What still spins where the trace ends; in an excerpt one turn may stand for many."""
        excerpt = self.scope.is_excerpt
        for thread in kernel.process_table.threads.values() if excerpt or self.half_turns else ():
            for turn in thread.rounds.values():
                yield from self._take(turn, thread)
        for spin in list(self._spins.values()):
            yield from self._over(spin.descriptor, last_line(kernel), excerpt=excerpt)

    def _take(self, turn: Round, thread: Thread) -> Iterator[Finding]:
        loop = turn.epoll or thread
        if is_idle(turn):
            for spin in [spin for spin in self._spins.values() if spin.loop is loop]:
                yield from self._over(spin.descriptor, turn.wait.line)
        verdicts = [(report, self._verdict(report, turn)) for report in turn.reports]
        # A turn that has other work as well is neither here nor there.
        counts = not self.alone or all(gained is False for _, gained in verdicts)
        for report, gained in verdicts:
            descriptor = None if gained is None else self.subject(report, turn)
            if descriptor is None or descriptor.closed is not None:
                continue
            if gained:
                yield from self._over(descriptor, turn.wait.line)
            elif counts:
                call = self.shown_by(report, turn)
                spin = Spin(descriptor, thread, loop, report, turn.wait, call)
                self._spins.setdefault(id(descriptor), spin).turn(call)
            elif id(descriptor) in self._spins:
                self._spins[id(descriptor)].aside += 1

    def _verdict(self, report: Readiness, turn: Round) -> bool | None:
        gained = self.gained(report, turn)
        known = self._spins.get(id(report.descriptor)) if gained is False else None
        if gained is False and (known is None or known.times < SURE) and _left_out_next(report, turn):
            return None  # it was asked for once, and not again
        return gained

    def _over(self, descriptor: Descriptor, until: int, *, excerpt: bool = False) -> Iterator[Finding]:
        spin = self._spins.pop(id(descriptor), None)
        if spin is None or not (spin.worth_a_word or excerpt):
            return
        spin.partial = self.scope.lacks_birth(descriptor, spin.report.registration) or self.scope.may_share(
            spin.thread.process
        )
        finding = self.told(spin, until)
        if finding is not None:
            yield finding
