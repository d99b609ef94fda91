"""TD106: a loop that is woken for a hang-up over and over and does nothing about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tracediag.events import Syscall
from tracediag.findings import Confidence, Finding, Severity, Step, step
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import HANGUPS, EpollSet, Readiness, Round
from tracediag.kernel.process import Thread
from tracediag.rules.base import Rule, on_end, on_release, on_round
from tracediag.rules.steps import birth, is_excerpt, last_line, left_out, no, repeated, watched

SURE = 10
"""Turns in a row from which on it is a spin and no accident."""

WORTH_A_WORD = 3

SLOW = 0.05
"""Seconds a turn on average from which on it is no spin: something else sets the pace."""


@dataclass(slots=True)
class Spin:
    """Turns of one loop in which it is woken for one descriptor and for nothing else, and nothing is gained."""

    descriptor: Descriptor
    loop: EpollSet | Thread
    report: Readiness
    wait: Syscall
    first: Syscall
    times: int = 0
    second: Syscall | None = None
    last: Syscall | None = None

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
        return self.times >= WORTH_A_WORD and not self._slow()

    @property
    def confidence(self) -> Confidence:
        """How sure it is that this goes on for ever."""
        if self.times >= SURE:
            return Confidence.CERTAIN
        return Confidence.LIKELY if self.times >= WORTH_A_WORD else Confidence.POSSIBLE

    @property
    def severity(self) -> Severity:
        """An error, but for a guess from an excerpt."""
        return Severity.WARNING if self.confidence is Confidence.POSSIBLE else Severity.ERROR

    def title(self, what: str) -> str:
        """Say what happens, or what would."""
        return f"if this repeats, {what}" if self.confidence is Confidence.POSSIBLE else what

    def _slow(self) -> bool:
        """Whether the turns are too far apart for a spin; False where the trace has no times."""
        last = self.last
        if last is None or self.first.time is None or last.time is None or self.times < 2:
            return False
        return (last.time - self.first.time) / (self.times - 1) > SLOW


def loop_of(turn: Round, thread: Thread) -> EpollSet | Thread:
    """Return what makes turns of one loop belong together."""
    return turn.epoll or thread


def open_turns(kernel: Kernel) -> list[tuple[Thread, Round]]:
    """Return the turns that have not ended where the trace does."""
    return [(thread, turn) for thread in kernel.people.threads.values() for turn in thread.rounds.values()]


def is_idle(turn: Round) -> bool:
    """Whether the wait came back with nothing: then nothing can have been spinning."""
    return turn.wait.result == 0


class HangupIgnoredSpin(Rule):
    """Wakeups with HUP, ERR or RDHUP for a descriptor on which nothing is done."""

    code = "TD106"
    name = "hangup-ignored-spin"
    severity = Severity.ERROR
    summary = "the loop is woken for a hang-up again and again and does nothing about it"

    def __init__(self) -> None:
        self._spins: dict[int, Spin] = {}

    @on_round
    def turned(self, action: Action) -> Iterator[Finding]:
        """Count the turns in a row that leave a hang-up as it was."""
        if action.finished is not None:
            yield from self._take(action.finished, action.thread, action.kernel)

    def _take(self, turn: Round, thread: Thread, kernel: Kernel) -> Iterator[Finding]:
        loop, until = loop_of(turn, thread), turn.wait.line
        if is_idle(turn):
            for spin in [spin for spin in self._spins.values() if spin.loop is loop]:
                yield from self._over(spin.descriptor, until, kernel)
        # A turn that has other work as well is neither here nor there.
        alone = all(report.events & HANGUPS and _nothing_done(report) for report in turn.reports)
        for report in turn.reports:
            descriptor = report.descriptor
            if descriptor is None or descriptor.closed is not None:
                continue  # events for a closed number are another story: stale-epoll-registration
            if not report.events & HANGUPS or not _nothing_done(report):
                yield from self._over(descriptor, until if turn.ended_by is None else turn.ended_by.line, kernel)
            elif alone:
                spin = self._spins.setdefault(id(descriptor), Spin(descriptor, loop, report, turn.wait, turn.wait))
                spin.turn(turn.wait)

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """A close ends the spin."""
        for descriptor in action.released:
            yield from self._over(descriptor, action.event.line, action.kernel)

    @on_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """What still spins where the trace ends; in an excerpt one turn may stand for many."""
        excerpt = is_excerpt(kernel)
        for thread, turn in open_turns(kernel) if excerpt else ():
            yield from self._take(turn, thread, kernel)
        for spin in list(self._spins.values()):
            yield from self._over(spin.descriptor, last_line(kernel), kernel, excerpt=excerpt)

    def _over(self, descriptor: Descriptor, until: int, kernel: Kernel, *, excerpt: bool = False) -> Iterator[Finding]:
        spin = self._spins.pop(id(descriptor), None)
        if spin is not None and (spin.worth_a_word or excerpt):
            confidence = spin.confidence
            if confidence is Confidence.CERTAIN and left_out(descriptor, spin.report.registration, kernel):
                confidence = Confidence.LIKELY  # what was done about it may be left out as well
            yield self._finding(spin, until, confidence)

    def _finding(self, spin: Spin, until: int, confidence: Confidence) -> Finding:
        number, entry = spin.descriptor.number, spin.report.registration
        what = "|".join(sorted(spin.report.events & HANGUPS))
        leave, delete = "leave it out of the next wait", ""
        if isinstance(spin.loop, EpollSet):
            leave, delete = "take it out of the set", ", EPOLL_CTL_DEL"
        error = " or fetch SO_ERROR" if spin.descriptor.file.socket is not None else ""
        return self.finding(
            [
                *birth(spin.descriptor),
                *(watched(entry) if entry is not None else ()),
                step(spin.first, f"a hang-up of fd {number} is reported; nothing is done about it", primary=True),
                *spin.again("returns at once, for the same reason"),
            ],
            object=describe(spin.descriptor),
            title=spin.title("the loop spins on a hang-up that nobody handles"),
            severity=spin.severity,
            confidence=confidence,
            absent=[no(f"read, getsockopt(SO_ERROR){delete} or close of fd {number}", spin.first, until)],
            why="HUP and ERR are reported whether asked for or not, and for as long as the state lasts and the"
            " descriptor is watched: poll(2), epoll_ctl(2)",
            fix=f"on {what} read what is left in fd {number}{error}, then {leave} and close it",
        )


def _nothing_done(report: Readiness) -> bool:
    """Whether the descriptor was left as it was: no call, or only calls that had nothing to give."""
    return report.touched == 0 or all(call.errno == "EAGAIN" for call in report.calls)
