"""TD104: an edge-triggered descriptor that is not read until EAGAIN."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.events import Syscall
from tracediag.findings import Confidence, Finding, Severity, step
from tracediag.kernel import Action
from tracediag.kernel.calls.transfer import READS, asked
from tracediag.kernel.describe import describe
from tracediag.kernel.epoll import Readiness, Registration, Round
from tracediag.rules.base import Rule, on_round
from tracediag.rules.steps import no, watched

_ENDS = frozenset({"EPOLLRDHUP", "EPOLLHUP"})


class EdgeTriggeredNotDrained(Rule):
    """An EPOLLET descriptor is read once, the buffer comes back full, and the loop waits again."""

    code = "TD104"
    name = "edge-triggered-not-drained"
    severity = Severity.ERROR
    summary = "an edge-triggered descriptor is not read until EAGAIN: the rest waits for an event that may never come"

    @on_round
    def turned(self, action: Action) -> Iterator[Finding]:
        """Look at what was read from each descriptor that was reported readable."""
        turn = action.finished
        for report in turn.reports if turn is not None else ():
            entry = report.registration
            if turn is not None and entry is not None and _left_over(report, entry):
                yield self._finding(turn, report, entry)

    def _finding(self, turn: Round, report: Readiness, entry: Registration) -> Finding:
        read, number = report.last, entry.number
        seen = entry.memory.get(self.name, 0) + 1
        entry.memory[self.name] = seen
        steps = [*watched(entry), step(turn.wait, f"woken for fd {number}")]
        if read is not None:
            steps.append(step(read, f"the buffer is full: {read.result} of {read.result} bytes", primary=True))
        if turn.ended_by is not None:
            steps.append(step(turn.ended_by, f"waits again without having seen read(fd {number}) = EAGAIN"))
        return self.finding(
            steps,
            object=describe(entry.descriptor),
            title="an edge-triggered descriptor is not read until EAGAIN",
            confidence=Confidence.CERTAIN if seen > 1 else Confidence.LIKELY,
            absent=[] if read is None or turn.ended_by is None else [no(f"read(fd {number}) = EAGAIN", read, turn.ended_by)],
            why="with EPOLLET a wakeup tells of new data only, not of data left unread: what did not fit into the buffer"
            " waits until the peer sends more, which it may never do: epoll(7)",
            fix=f"read fd {number} in a loop until EAGAIN (or a short read), or register it without EPOLLET",
        )


def _left_over(report: Readiness, entry: Registration) -> bool:
    """Whether the last read filled its buffer, and nothing shows that nothing was left."""
    read = report.last
    if not entry.edge_triggered or not entry.events or entry.events & {"EPOLLONESHOT"} or report.events & _ENDS:
        return False
    if entry.removed is not None or entry.descriptor.closed is not None:
        return False
    return isinstance(read, Syscall) and read.name in READS and _full(read)


def _full(read: Syscall) -> bool:
    wanted = asked(read)
    return bool(wanted) and read.result == wanted
