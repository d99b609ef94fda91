"""TD106: a loop that is woken for a hang-up over and over and does nothing about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tracediag.events import Syscall
from tracediag.findings import Confidence, Finding, Severity
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import HANGUPS, Readiness
from tracediag.rules.base import Rule, on_end, on_release, on_round
from tracediag.rules.steps import birth, last_line, no, repeated, watched

SURE = 10
"""Turns in a row from which on it is a spin and no accident."""

WORTH_A_WORD = 3

SLOW = 0.05
"""Seconds a turn on average from which on it is no spin: something else sets the pace."""


@dataclass(slots=True)
class _Spin:
    descriptor: Descriptor
    first: Syscall
    report: Readiness
    times: int = 0
    last: Syscall | None = None


class HangupIgnoredSpin(Rule):
    """Wakeups with HUP, ERR or RDHUP for a descriptor on which nothing is done."""

    code = "TD106"
    name = "hangup-ignored-spin"
    severity = Severity.ERROR
    summary = "the loop is woken for a hang-up again and again and does nothing about it"

    def __init__(self) -> None:
        self._spins: dict[int, _Spin] = {}

    @on_round
    def turned(self, action: Action) -> Iterator[Finding]:
        """Count the turns in a row that leave a hang-up as it was."""
        turn = action.finished
        for report in turn.reports if turn is not None else ():
            descriptor = report.descriptor
            if turn is None or descriptor is None or descriptor.closed is not None:
                continue  # events for a closed number are another story: stale-epoll-registration
            if not report.events & HANGUPS or not _nothing_done(report):
                yield from self._over(descriptor, turn.ended_by.line if turn.ended_by is not None else turn.wait.line)
                continue
            spin = self._spins.setdefault(id(descriptor), _Spin(descriptor, turn.wait, report))
            spin.times += 1
            spin.last = turn.wait

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """A close ends the spin."""
        for descriptor in action.released:
            yield from self._over(descriptor, action.event.line)

    @on_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """What still spins where the trace ends."""
        for spin in list(self._spins.values()):
            yield from self._over(spin.descriptor, last_line(kernel))

    def _over(self, descriptor: Descriptor, until: int) -> Iterator[Finding]:
        spin = self._spins.pop(id(descriptor), None)
        if spin is not None and spin.times >= WORTH_A_WORD and not is_slow(spin.first, spin.last, spin.times):
            yield self._finding(spin, until)

    def _finding(self, spin: _Spin, until: int) -> Finding:
        number = spin.descriptor.number
        last = spin.first if spin.last is None else spin.last
        entry = spin.report.registration
        note = f"returns at once with a hang-up of fd {number}; nothing is done about it"
        return self.finding(
            [
                *birth(spin.descriptor),
                *(watched(entry) if entry is not None else ()),
                repeated(spin.first, note, spin.times, last.line, primary=True),
            ],
            object=describe(spin.descriptor),
            title="the loop spins on a hang-up that nobody handles",
            confidence=Confidence.CERTAIN if spin.times >= SURE else Confidence.LIKELY,
            absent=[no(f"read, getsockopt(SO_ERROR), EPOLL_CTL_DEL or close of fd {number}", spin.first, until)],
            why="HUP and ERR are reported whether asked for or not, and for as long as the descriptor is watched and its"
            " state lasts: poll(2), epoll_ctl(2)",
            fix=f"on HUP or ERR read fd {number} to its end or fetch SO_ERROR, then take it out of the set and close it",
            explains=[("epipe-still-registered", line) for line in _broken_lines(spin.descriptor)],
        )


def _broken_lines(descriptor: Descriptor) -> list[int]:
    socket = descriptor.file.socket
    return [] if socket is None or socket.broken is None else [socket.broken.line]


def _nothing_done(report: Readiness) -> bool:
    """Whether the descriptor was left as it was: no call, or only calls that had nothing to give."""
    return report.touched == 0 or all(call.errno == "EAGAIN" for call in report.calls)


def is_slow(first: Syscall, last: Syscall | None, times: int) -> bool:
    """Whether the turns are too far apart for a spin; False where the trace has no times."""
    if last is None or first.time is None or last.time is None or times < 2:
        return False
    return (last.time - first.time) / (times - 1) > SLOW
