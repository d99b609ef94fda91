"""TD106: a loop that is woken for a hang-up over and over and does not handle it."""

from __future__ import annotations

from collections.abc import Iterable

from tracediag.evidence.runs import severity_of
from tracediag.evidence.steps import birth, no, watched
from tracediag.kernel import Action
from tracediag.kernel.describe import describe, name
from tracediag.kernel.epoll import HANGUPS, EpollSet, Readiness, Round
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import on_call
from tracediag.rules.epoll._buffered import may_hand_out_lines
from tracediag.rules.epoll._spin import Spin, SpinRule
from tracediag.trace.calls import READS


class HangupIgnoredSpin(SpinRule):
    """Wakeups with HUP, ERR or RDHUP for a descriptor on which nothing is done."""

    code = "TD106"
    name = "hangup-ignored-spin"
    severity = Severity.ERROR
    summary = "the loop is woken for a hang-up again and again and does not handle it"
    rests_on = READS

    def gained(self, report: Readiness, turn: Round) -> bool | None:
        """Return whether the hang-up was handled; for an unknown descriptor, whether the turn made any call."""
        if report.descriptor is None and turn.calls > 1:
            return True
        if turn.ended_by is None and self.run(self.reported(report, turn)) is None:
            return None  # the next lines may handle it
        return not report.events & HANGUPS or not _nothing_done(report)

    @on_call(*READS, given="_runs")
    def served_elsewhere(self, action: Action) -> Iterable[Finding]:
        """End the spin where another thread reads: with EPOLLONESHOT the loop waits again before its worker does."""
        if action.descriptor is None or action.call.errno == "EAGAIN":
            return ()
        spin = self.run(action.descriptor)
        return () if spin is None or spin.thread is action.thread else self.over(action.call, action.descriptor)

    def sure(self, spin: Spin) -> Confidence | None:
        """Return how sure it is; None where a reader with a buffer has not yet come to the end."""
        return None if may_hand_out_lines(spin) else super().sure(spin)

    def tell(self, spin: Spin, sure: Confidence) -> Finding:
        """Make the finding."""
        number, entry, guess = spin.descriptor.number, spin.report.registration, spin.report.descriptor is None
        what = "|".join(sorted(spin.report.events & HANGUPS))
        leave, delete = f"leave fd {number} out of the next wait", ""
        if isinstance(spin.loop, EpollSet):
            leave, delete = f"remove fd {number} from the set", ", EPOLL_CTL_DEL"
        error = " or call getsockopt(SO_ERROR)" if spin.descriptor.file.socket is not None else ""
        return self.finding(
            [
                *birth(spin.descriptor),
                *(watched(entry) if entry is not None else ()),
                step(spin.first, f"a hang-up of fd {number} is reported, and no call handles it", primary=True),
                *spin.again("returns immediately, for the same reason"),
            ],
            object=describe(spin.descriptor),
            title=self.titled(spin, f"the loop spins on an unhandled hang-up of {name(spin.descriptor)}"),
            severity=severity_of(sure),
            # A descriptor known only from the data of the event is a guess.
            confidence=Confidence.LIKELY if guess and sure is Confidence.CERTAIN else self.inaction(spin, sure),
            absent=[no(f"read, getsockopt(SO_ERROR){delete} or close of fd {number}", spin.first, self.until(spin))],
            why="HUP and ERR are reported by each wait for as long as the state lasts, whether or not they were"
            " requested: poll(2), epoll_ctl(2)",
            fix=f"on {what}, read what is left in fd {number}{error}, then {leave} and close it",
        )


def _nothing_done(report: Readiness) -> bool:
    """Whether nothing was done with the descriptor: no call, or only calls that failed with EAGAIN or watch on."""
    futile = sum(call.errno == "EAGAIN" for call in report.calls) + report.rearmed()
    return futile == len(report.calls)
