"""TD108: a loop that reads the end of a stream over and over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tracediag.events import Syscall
from tracediag.findings import Confidence, Finding, Severity
from tracediag.kernel import Action, Kernel
from tracediag.kernel.calls.transfer import READS, asked
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Registration
from tracediag.rules.base import Rule, on_end, on_release, on_round
from tracediag.rules.epoll.hangup_ignored_spin import SURE, WORTH_A_WORD, is_slow
from tracediag.rules.steps import birth, last_line, no, repeated, watched


@dataclass(slots=True)
class _Spin:
    descriptor: Descriptor
    entry: Registration | None
    first: Syscall
    times: int = 0
    last: Syscall | None = None


class EofIgnoredSpin(Rule):
    """read or recv = 0 in turn after turn, and the descriptor stays in the set."""

    code = "TD108"
    name = "eof-ignored-spin"
    severity = Severity.ERROR
    summary = "the end of a stream is read again and again, and the descriptor stays in the set"

    def __init__(self) -> None:
        self._spins: dict[int, _Spin] = {}

    @on_round
    def turned(self, action: Action) -> Iterator[Finding]:
        """Count the turns in a row in which a descriptor gave nothing but its end."""
        turn = action.finished
        for report in turn.reports if turn is not None else ():
            descriptor = report.descriptor
            if turn is None or descriptor is None or not report.calls:
                continue
            reads = [call for call in report.calls if call.name in READS]
            if not reads or not all(call.result == 0 and asked(call) != 0 for call in reads):
                yield from self._over(descriptor, turn.wait.line)
                continue
            spin = self._spins.setdefault(id(descriptor), _Spin(descriptor, report.registration, reads[0]))
            spin.times += 1
            spin.last = reads[-1]

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
        if spin is None or spin.times < WORTH_A_WORD or is_slow(spin.first, spin.last, spin.times):
            return
        number = descriptor.number
        last = spin.first if spin.last is None else spin.last
        note = f"the end of the stream; fd {number} stays in the set"
        yield self.finding(
            [
                *birth(descriptor),
                *(watched(spin.entry) if spin.entry is not None else ()),
                repeated(spin.first, note, spin.times, last.line, primary=True),
            ],
            object=describe(descriptor),
            title="the loop spins on the end of a stream",
            confidence=Confidence.CERTAIN if spin.times >= SURE else Confidence.LIKELY,
            absent=[no(f"EPOLL_CTL_DEL or close of fd {number}", spin.first, until)],
            why="a result of 0 is the end of the stream, and a descriptor at its end is readable for ever: read(2), recv(2)",
            fix=f"when a read of fd {number} gives 0, take it out of the set, finish what is to be sent, and close it",
        )
