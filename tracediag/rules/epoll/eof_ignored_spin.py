"""TD108: a loop that reads the end of a stream over and over."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.findings import Finding, Severity, step
from tracediag.kernel import Action, Kernel
from tracediag.kernel.calls.transfer import READS, WRITES, asked
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Readiness, Round
from tracediag.kernel.process import Thread
from tracediag.rules.base import Rule, on_end, on_release, on_round
from tracediag.rules.epoll.hangup_ignored_spin import Spin, is_idle, loop_of, open_turns
from tracediag.rules.steps import birth, is_excerpt, last_line, no, watched


class EofIgnoredSpin(Rule):
    """read or recv = 0 in turn after turn, and the descriptor stays in the set."""

    code = "TD108"
    name = "eof-ignored-spin"
    severity = Severity.ERROR
    summary = "the end of a stream is read again and again, and the descriptor stays in the set"

    def __init__(self) -> None:
        self._spins: dict[int, Spin] = {}

    @on_round
    def turned(self, action: Action) -> Iterator[Finding]:
        """Count the turns in a row in which a descriptor gave nothing but its end."""
        if action.finished is not None:
            yield from self._take(action.finished, action.thread)

    def _take(self, turn: Round, thread: Thread) -> Iterator[Finding]:
        loop = loop_of(turn, thread)
        if is_idle(turn):
            for spin in [spin for spin in self._spins.values() if spin.loop is loop]:
                yield from self._over(spin.descriptor, turn.wait.line)
        for report in turn.reports:
            descriptor = report.descriptor
            if descriptor is None or not report.touched:
                continue
            if not _only_its_end(report):
                yield from self._over(descriptor, turn.wait.line)
                continue
            spin = self._spins.setdefault(id(descriptor), Spin(descriptor, loop, report, turn.wait, report.calls[0]))
            spin.turn(report.calls[0])

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """A close ends the spin."""
        for descriptor in action.released:
            yield from self._over(descriptor, action.event.line)

    @on_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """What still spins where the trace ends; in an excerpt one turn may stand for many."""
        excerpt = is_excerpt(kernel)
        for thread, turn in open_turns(kernel):
            yield from self._take(turn, thread)
        for spin in list(self._spins.values()):
            yield from self._over(spin.descriptor, last_line(kernel), excerpt=excerpt)

    def _over(self, descriptor: Descriptor, until: int, *, excerpt: bool = False) -> Iterator[Finding]:
        spin = self._spins.pop(id(descriptor), None)
        if spin is None or not (spin.worth_a_word or excerpt):
            return
        number, entry = descriptor.number, spin.report.registration
        removal = "EPOLL_CTL_DEL or close" if spin.report.registration is not None else "close"
        yield self.finding(
            [
                *birth(descriptor),
                *(watched(entry) if entry is not None else ()),
                step(spin.wait, f"fd {number} is reported readable"),
                step(spin.first, f"the end of the stream: from now on fd {number} is readable for ever", primary=True),
                *spin.again(f"the end again: fd {number} is still watched"),
            ],
            object=describe(descriptor),
            title=spin.title("the loop spins on the end of a stream"),
            severity=spin.severity,
            confidence=spin.confidence,
            absent=[no(f"{removal} of fd {number}", spin.first, until)],
            why="a read of 0 bytes is the end of the stream, and at its end a descriptor is readable for ever: read(2)",
            fix=f"when a read of fd {number} gives 0, stop watching it, finish what is to be sent, and close it",
        )


def _only_its_end(report: Readiness) -> bool:
    """Whether a turn got nothing from the descriptor but its end, and sent nothing either."""
    file = None if report.descriptor is None else report.descriptor.file
    if file is not None and file.socket is not None and file.socket.stream is False:
        return False  # a datagram may be empty
    reads = [call for call in report.calls if call.name in READS]
    sent = any(call.name in WRITES and not call.failed for call in report.calls)
    return bool(reads) and not sent and all(call.result == 0 and asked(call) != 0 for call in reads)
