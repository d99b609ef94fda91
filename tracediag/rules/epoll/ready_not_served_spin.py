"""TD109: a loop that is woken for a readable descriptor over and over and does not read it."""

from __future__ import annotations

from tracediag.evidence.runs import severity_of
from tracediag.evidence.steps import birth, no, watched
from tracediag.kernel.describe import describe
from tracediag.kernel.epoll import Readiness
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.epoll._spin import Spin
from tracediag.rules.epoll._unserved import READABLE, UnservedRule


class ReadyNotServedSpin(UnservedRule):
    """Wakeups for a readable descriptor that is not read, not accepted from and not taken out of the set."""

    code = "TD109"
    name = "ready-not-served-spin"
    severity = Severity.ERROR
    summary = "the loop is woken for a readable descriptor again and again and does not read it"

    def concerns(self, report: Readiness) -> bool:
        """Take what is readable."""
        return bool(report.events & READABLE)

    def served(self, report: Readiness) -> bool:
        """Take any call for an answer, in vain or not."""
        return report.touched > 0

    def tell(self, spin: Spin, sure: Confidence) -> Finding:
        """Make the finding."""
        number, entry = spin.descriptor.number, spin.report.registration
        socket = spin.descriptor.file.socket
        serve = "accept from" if socket is not None and socket.accepting else "read"
        leave = f"leave fd {number} out of the wait, or put -1 in its place,"
        if entry is not None:
            leave = f"take fd {number} out of the set, or take EPOLLIN off by EPOLL_CTL_MOD,"
        return self.finding(
            [
                *birth(spin.descriptor),
                *(watched(entry) if entry is not None else ()),
                step(spin.first, f"fd {number} is reported readable, and no call is made on it", primary=True),
                *spin.again("returns at once, for the same reason"),
            ],
            object=describe(spin.descriptor),
            title=self.bounds.title(spin.times, "the loop spins on a descriptor that is ready and that nobody serves"),
            severity=severity_of(sure),
            confidence=sure,
            absent=[no(f"call on fd {number}, EPOLL_CTL_DEL and close among them", spin.first, self.until(spin))],
            why="a level-triggered wait reports a state: a descriptor with something to read is reported by each wait"
            " that includes it, and none of them blocks: poll(2), epoll(7)",
            fix=f"{serve} fd {number} whenever it is reported; while nothing is wanted from it, {leave} and put it"
            " back later",
        )
