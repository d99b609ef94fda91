"""TD109: a loop that is woken for a readable descriptor over and over and does not read it."""

from __future__ import annotations

from tracediag.evidence.runs import severity_of
from tracediag.evidence.steps import birth, no, watched
from tracediag.kernel.describe import describe, name
from tracediag.kernel.epoll import Readiness
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.epoll._buffered import may_hand_out_lines
from tracediag.rules.epoll._spin import Spin
from tracediag.rules.epoll._unserved import READABLE, UnservedRule
from tracediag.trace.calls import READS


class ReadyNotServedSpin(UnservedRule):
    """Wakeups for a readable descriptor that is not read, not accepted from and not removed from the set."""

    code = "TD109"
    name = "ready-not-served-spin"
    severity = Severity.ERROR
    summary = "the loop is woken for a readable descriptor again and again and never reads it"
    rests_on = READS

    def concerns(self, report: Readiness) -> bool:
        """Whether it was reported readable."""
        return bool(report.events & READABLE)

    def served(self, report: Readiness) -> bool:
        """Whether any call was made on it, even one that failed, other than to watch on."""
        return report.touched > report.rearmed()

    def sure(self, spin: Spin) -> Confidence | None:
        """Return how sure it is; None where a reader with a buffer needed no read."""
        return None if may_hand_out_lines(spin) else super().sure(spin)

    def tell(self, spin: Spin, sure: Confidence) -> Finding | None:
        """Make the finding, unless the recording hides the accepts that fail."""
        number, entry = spin.descriptor.number, spin.report.registration
        socket = spin.descriptor.file.socket
        listens = socket is not None and socket.accepting
        if listens and self.scope.hides_failures:
            return None
        never, calls = ("accepted from", "accept, accept4 or other call") if listens else ("read", "call")
        leave = f"leave fd {number} out of the wait (poll: set its entry to -1)"
        if entry is not None:
            leave = f"clear EPOLLIN with EPOLL_CTL_MOD, or remove fd {number} from the set"
        return self.finding(
            [
                *birth(spin.descriptor),
                *(watched(entry) if entry is not None else ()),
                step(spin.first, f"fd {number} is reported readable, and no call is made on it", primary=True),
                *spin.again("returns immediately, for the same reason"),
            ],
            object=describe(spin.descriptor),
            title=self.titled(spin, f"the loop spins on {name(spin.descriptor)}, which is readable but never {never}"),
            severity=severity_of(sure),
            confidence=sure,
            absent=[no(f"{calls} on fd {number} (EPOLL_CTL_DEL and close included)", spin.first, self.until(spin))],
            why="a level-triggered wait reports a state: while there is something to read, each wait that includes the"
            " descriptor returns immediately: poll(2), epoll(7)",
            fix=f"{'accept from' if listens else 'read'} fd {number} whenever it is reported; while its"
            f" {'clients' if listens else 'data'} must wait, {leave}",
        )
