"""TD108: a loop that reads end-of-file over and over."""

from __future__ import annotations

from tracediag.evidence.runs import severity_of
from tracediag.evidence.steps import birth, no, watched
from tracediag.kernel.calls.transfer import asked
from tracediag.kernel.describe import describe, name
from tracediag.kernel.epoll import Readiness, Round
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.epoll._spin import Spin, SpinRule
from tracediag.trace.calls import READS, WRITES
from tracediag.trace.events import Syscall


class EofIgnoredSpin(SpinRule):
    """read or recv = 0 in turn after turn, with the descriptor still watched."""

    code = "TD108"
    name = "eof-ignored-spin"
    severity = Severity.ERROR
    summary = "the loop reads end-of-file again and again, and keeps watching the descriptor"
    alone = False
    half_turns = True

    def gained(self, report: Readiness, turn: Round) -> bool | None:
        """Return whether a turn that used the descriptor got more than end-of-file."""
        del turn
        if not report.touched or any(call.name in READS and not call.returned for call in report.calls):
            return None
        return not _only_its_end(report)

    def shown_by(self, report: Readiness, turn: Round) -> Syscall:
        """Return the read, not the wait."""
        del turn
        return next(call for call in report.calls if call.name in READS)

    def tell(self, spin: Spin, sure: Confidence) -> Finding:
        """Make the finding."""
        number, entry = spin.descriptor.number, spin.report.registration
        removal = "close" if entry is None else "EPOLL_CTL_DEL or close"
        return self.finding(
            [
                *birth(spin.descriptor),
                *(watched(entry) if entry is not None else ()),
                step(spin.wait, f"fd {number} is reported readable"),
                step(spin.first, f"end-of-file: from now on fd {number} is always readable", primary=True),
                *spin.again(f"end-of-file again: fd {number} is still watched"),
            ],
            object=describe(spin.descriptor),
            title=self.titled(spin, f"the loop spins at end-of-file on {name(spin.descriptor)}"),
            severity=severity_of(sure),
            confidence=sure,
            absent=[no(f"{removal} of fd {number}", spin.first, self.until(spin))],
            why="at end-of-file a descriptor is always ready for reading: each wait that includes it returns"
            " immediately, and each read returns 0: read(2), select(2)",
            fix=f"when a read of fd {number} returns 0, stop watching fd {number}, send what is left, and close it",
        )


def _only_its_end(report: Readiness) -> bool:
    """Whether a turn read nothing but end-of-file from the descriptor, and sent nothing."""
    file = None if report.descriptor is None else report.descriptor.file
    if file is not None and file.socket is not None and file.socket.stream is False:
        return False  # a datagram may be empty
    if any(call.name == "epoll_ctl" and not call.failed and call.has("EPOLL_CTL_DEL") for call in report.calls):
        return False  # it has left the set
    reads = [call for call in report.calls if call.name in READS]
    sent = any(call.name in WRITES and not call.failed for call in report.calls)
    return bool(reads) and not sent and all(call.result == 0 and asked(call) != 0 for call in reads)
