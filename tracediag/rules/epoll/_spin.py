"""What all rules about spins share: they count turns in a row in which a loop makes no progress on one descriptor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from tracediag.evidence.runs import LOOP, Run
from tracediag.kernel import Action, Kernel
from tracediag.kernel.calls.waiting import selected
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.epoll import EpollSet, Readiness, Round
from tracediag.kernel.process import Thread
from tracediag.results.findings import Confidence, Finding
from tracediag.rules.base import on_release, on_round, on_trace_end
from tracediag.rules.loop import LoopRule
from tracediag.trace.calls import SELECTS
from tracediag.trace.events import Syscall

_NUMBERS = 1 << 16
"""Data below this may be the number of the descriptor; most else is an address."""
_MAX_STAND_INS = 500


class Spin(Run, kw_only=True):
    """Turns of one loop that is woken for one descriptor and nothing else, without progress.

    Turns aside are those in which the loop had other work as well.
    """

    descriptor: Descriptor
    thread: Thread
    loop: EpollSet | Thread
    report: Readiness
    wait: Syscall
    fetched: Syscall | None
    """The last call that took data out of the descriptor before."""


class SpinRule(LoopRule[Spin]):
    """A rule about one kind of spin: it judges whether a turn made progress on a descriptor, and words the finding."""

    bounds = LOOP
    alone: ClassVar[bool] = True
    """Whether only turns without other work are counted."""
    half_turns: ClassVar[bool] = False
    """Whether a turn cut short by the end of the trace is judged even where the trace is not an excerpt."""

    def __init__(self) -> None:
        super().__init__()
        self._stand_ins: dict[tuple[EpollSet, int], Descriptor] = {}
        """What stands for a descriptor that no line has named yet, by set and data."""
        self._worked = False
        """Whether a complete turn of any loop wasted nothing."""

    def gained(self, report: Readiness, turn: Round) -> bool | None:
        """Return whether a turn made progress: False is a wasted turn, None a turn that is not this rule's subject."""
        raise NotImplementedError

    def reported(self, report: Readiness, turn: Round) -> Descriptor | None:
        """Return what was reported, or a stand-in where birth, registration and use are all outside the trace."""
        data = report.data
        if turn.epoll is None or turn.set_descriptor is None or data is None or not 0 <= data < _NUMBERS:
            return report.descriptor
        key = (turn.epoll, data)
        if report.descriptor is not None:
            if self._stand_ins:
                self.drop(self._stand_ins.pop(key, None))
            return report.descriptor
        if data in turn.set_descriptor.table.last_closed:
            return None  # events for a closed number are another story: stale-epoll-registration
        if key not in self._stand_ins and len(self._stand_ins) < _MAX_STAND_INS:
            # Most programs store the number itself in `data`.
            self._stand_ins[key] = Descriptor(data, OpenFile(), turn.set_descriptor.table)
        return self._stand_ins.get(key)

    def shown_by(self, report: Readiness, turn: Round) -> Syscall:
        """Return the call that shows that the turn was wasted."""
        del report
        return turn.wait

    def inaction(self, spin: Spin, sure: Confidence) -> Confidence:
        """Lower a certainty that nothing was done where the recording may have left calls out."""
        entry, scope = spin.report.registration, self.scope
        partial = scope.lacks_birth(spin.descriptor, entry) or scope.may_share(spin.thread.process, spin.first.line)
        return Confidence.LIKELY if partial and sure is Confidence.CERTAIN else sure

    @on_round
    def turned(self, action: Action) -> Iterator[Finding]:
        """Count the turns in a row without progress."""
        if action.finished is not None:
            yield from self._count(action.finished, action.thread)

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """A close ends the spin."""
        for descriptor in action.released if self._runs else ():
            yield from self.over(action.event, descriptor)

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """End what still spins at the end of the trace; in an excerpt the last, unfinished turn counts too."""
        for thread in kernel.process_table.threads.values() if self.scope.is_excerpt or self.half_turns else ():
            for turn in thread.rounds.values():
                yield from self._count(turn, thread, half=True)
        yield from super().ended(kernel)

    def _count(self, turn: Round, thread: Thread, *, half: bool = False) -> Iterator[Finding]:
        """Count a turn; a `half` one, which the end of the trace cuts, begins no spin where a loop did other work."""
        loop = turn.epoll or thread
        if self._runs and turn.wait.result == 0:  # a wait with nothing to report was no part of a spin
            for descriptor, _, known in self.runs():
                if known.loop is loop:
                    yield from self.over(turn.wait, descriptor)
        verdicts = [(report, self._verdict(report, turn)) for report in turn.reports]
        self._worked |= bool(verdicts) and not half and all(gained is not False for _, gained in verdicts)
        # A turn with other work as well neither counts nor ends the run.
        counts = not self.alone or all(gained is False for _, gained in verdicts)
        for report, gained in verdicts:
            descriptor = None if gained is None else self.reported(report, turn)
            if descriptor is None or descriptor.closed is not None:
                continue
            spin = self.run(descriptor)
            if gained:
                yield from self.over(turn.wait, descriptor)
            elif not counts:
                if spin is not None:
                    spin.aside += 1
            elif spin is not None:
                spin.add(self.shown_by(report, turn))
            elif not half or not self._worked or self.scope.elided > turn.wait.line:
                call = self.shown_by(report, turn)
                self.begin(
                    Spin(
                        call,
                        call,
                        descriptor=descriptor,
                        thread=thread,
                        loop=loop,
                        report=report,
                        wait=turn.wait,
                        fetched=_last_read(descriptor.file),
                    ),
                    descriptor,
                )

    def _verdict(self, report: Readiness, turn: Round) -> bool | None:
        gained = self.gained(report, turn)
        known = self.run(report.descriptor) if gained is False else None
        if gained is False and (known is None or known.times < self.bounds.sure) and _left_out_next(report, turn):
            return None  # the next wait no longer asks for it
        return gained


def _last_read(file: OpenFile) -> Syscall | None:
    return file.got if file.socket is None else file.socket.last_read


def _left_out_next(report: Readiness, turn: Round) -> bool:
    """Whether the poll or select that ended the turn no longer watches what was reported."""
    following, number = turn.ended_by, report.number
    if turn.epoll is not None or following is None or number is None:
        return False
    if following.name in SELECTS:
        return number not in selected(following)
    return not following.has(f"fd={number}")
