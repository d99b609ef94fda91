"""TD105: a blocking descriptor that brings a whole event loop to a stand."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.events import Syscall
from tracediag.findings import Confidence, Finding, Severity, Step, step
from tracediag.kernel import Action
from tracediag.kernel.calls.transfer import READS, WRITES, asked
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.epoll import Round
from tracediag.rules.base import Rule, on_call, on_round
from tracediag.rules.steps import birth
from tracediag.values import names_of

LONG = 0.1
"""Seconds inside one call from which on a loop has clearly stood still."""

_KINDS = frozenset({Kind.SOCKET, Kind.PIPE, Kind.UNKNOWN})


class BlockingFdInEventLoop(Rule):
    """A descriptor that a loop waits for, without O_NONBLOCK, whose read or write then blocks."""

    code = "TD105"
    name = "blocking-fd-in-event-loop"
    severity = Severity.ERROR
    summary = "a descriptor without O_NONBLOCK blocks an event loop: everything else in it stands still"
    needs = ("durations",)

    def __init__(self) -> None:
        self._loops = False

    def unjudged(self, shown: frozenset[str]) -> str | None:
        """Without the time in calls only those that never return, or that a signal breaks, show that they waited."""
        lacks = self._loops and "durations" not in shown
        return "the time spent in each call (strace -T) to tell a call that blocked" if lacks else None

    @on_round
    def turned(self, action: Action) -> None:
        """Note that there is a loop at all."""
        del action
        self._loops = True

    @on_call(*READS, *WRITES, "accept", "accept4")
    def called(self, action: Action) -> Iterator[Finding]:
        """Look for a call that waited, on a descriptor that the loop is handling."""
        descriptor, call = action.descriptor, action.call
        if descriptor is None or descriptor.file.kind not in _KINDS or self.name in descriptor.memory:
            return
        turn = _turn(action, descriptor)
        if turn is None or descriptor.file.flags.has("O_NONBLOCK"):
            return
        known = descriptor.file.flags.has("O_NONBLOCK") is False
        if (how := _blocked(call)) is not None:
            sure = Confidence.CERTAIN if known else Confidence.LIKELY
        elif known and call.duration is None and _after_short_read(call, turn, descriptor):
            how, sure = f"nothing was left to read, so {call.name} waits for the peer", Confidence.LIKELY
        else:
            return
        descriptor.memory[self.name] = True
        yield self._finding(descriptor, call, turn, how, sure)

    def _finding(self, descriptor: Descriptor, call: Syscall, turn: Round, how: str, sure: Confidence) -> Finding:
        number = descriptor.number
        return self.finding(
            [
                *birth(descriptor),
                step(turn.wait, f"the loop is woken, fd {number} among what it handles"),
                *_earlier(call, turn, number),
                step(call, f"{how}: the whole loop stands still", primary=True),
            ],
            object=describe(descriptor),
            title="a blocking descriptor brings the event loop to a stand",
            confidence=sure,
            why="a loop that waits for many descriptors must never wait for one: without O_NONBLOCK a read with nothing"
            " left to read, or a write with no room, sleeps until the peer acts: select(2), fcntl(2)",
            fix=f"make fd {number} non-blocking (accept4 with SOCK_NONBLOCK, or F_GETFL then F_SETFL with O_NONBLOCK)"
            " and go back to the wait on EAGAIN",
        )


def _blocked(call: Syscall) -> str | None:
    """Say how the call shows that it waited, or None where it does not."""
    if not call.returned:
        return f"{call.name} has not returned where the trace ends"
    if call.interrupted:
        return f"{call.name} was waiting when a signal came"
    if call.duration is not None and call.duration >= LONG:
        return f"{call.name} takes {call.duration:.3f} s"
    return None


def _after_short_read(call: Syscall, turn: Round, descriptor: Descriptor) -> bool:
    """Whether a stream was read again right after a read that had emptied it, in a loop with others to serve.

    Without times this is how a wait shows: the first read got less than it asked for, so nothing was left.
    """
    socket = descriptor.file.socket
    if turn.epoll is None or len(turn.epoll.entries) < 2 or socket is None or not socket.stream:
        return False
    for report in turn.reports:
        if report.descriptor is descriptor and len(report.calls) > 1 and report.calls[-1] is call:
            before, wanted = report.calls[-2], asked(report.calls[-2])
            short = before.result is not None and wanted is not None and 0 < before.result < wanted
            return short and before.name in READS and call.name in READS and "MSG_DONTWAIT" not in names_of(call.arg(3))
    return False


def _turn(action: Action, descriptor: Descriptor) -> Round | None:
    """Return the turn of a loop in which the descriptor is handled: it was reported, or is watched by that set."""
    for turn in action.thread.rounds.values():
        if any(report.descriptor is descriptor for report in turn.reports):
            return turn
        if turn.epoll is not None and any(entry.epoll is turn.epoll for entry in descriptor.file.registrations):
            return turn
    return None


def _earlier(call: Syscall, turn: Round, number: int) -> Iterator[Step]:
    """Yield the first call of the turn on the same descriptor: it got what had made the descriptor ready."""
    for report in turn.reports:
        if report.number == number and report.calls and report.calls[0] is not call:
            yield step(report.calls[0], "this call gets what was there")
            return
