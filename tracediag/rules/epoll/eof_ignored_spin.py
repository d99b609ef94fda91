"""TD108: a loop that reads the end of a stream over and over."""

from __future__ import annotations

from tracediag.evidence.runs import severity_of
from tracediag.evidence.steps import birth, no, watched
from tracediag.kernel.calls.transfer import asked
from tracediag.kernel.describe import describe
from tracediag.kernel.epoll import Readiness, Round
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.epoll._spin import Spin, SpinRule
from tracediag.trace.calls import READS, WRITES
from tracediag.trace.events import Syscall


class EofIgnoredSpin(SpinRule):
    """read or recv = 0 in turn after turn, and the descriptor stays in the set."""

    code = "TD108"
    name = "eof-ignored-spin"
    severity = Severity.ERROR
    summary = "the end of a stream is read again and again, and the descriptor stays in the set"
    alone = False
    half_turns = True

    def gained(self, report: Readiness, turn: Round) -> bool | None:
        """Whether a turn that used the descriptor got more of it than its end."""
        del turn
        return None if not report.touched else not _only_its_end(report)

    def shown_by(self, report: Readiness, turn: Round) -> Syscall:
        """Return the read, not the wait."""
        del turn
        return report.calls[0]

    def tell(self, spin: Spin, sure: Confidence) -> Finding:
        """Make the finding."""
        number, entry = spin.descriptor.number, spin.report.registration
        removal = "close" if entry is None else "EPOLL_CTL_DEL or close"
        return self.finding(
            [
                *birth(spin.descriptor),
                *(watched(entry) if entry is not None else ()),
                step(spin.wait, f"fd {number} is reported readable"),
                step(spin.first, f"the end of the stream: from now on fd {number} is readable for ever", primary=True),
                *spin.again(f"the end again: fd {number} is still watched"),
            ],
            object=describe(spin.descriptor),
            title=self.bounds.title(spin.times, "the loop spins on the end of a stream"),
            severity=severity_of(sure),
            confidence=sure,
            absent=[no(f"{removal} of fd {number}", spin.first, self.until(spin))],
            why="a read of 0 bytes is the end of the stream, and at its end a descriptor is readable for ever: read(2)",
            fix=f"when a read of fd {number} gives 0, stop watching it, finish what is to be sent, and close it",
        )


def _only_its_end(report: Readiness) -> bool:
    """Whether a turn got nothing from the descriptor but its end, and sent nothing either."""
    file = None if report.descriptor is None else report.descriptor.file
    if file is not None and file.socket is not None and file.socket.stream is False:
        return False  # a datagram may be empty
    if any(call.name == "epoll_ctl" and not call.failed and call.has("EPOLL_CTL_DEL") for call in report.calls):
        return False  # it has left the set
    reads = [call for call in report.calls if call.name in READS]
    sent = any(call.name in WRITES and not call.failed for call in report.calls)
    return bool(reads) and not sent and all(call.result == 0 and asked(call) != 0 for call in reads)
