"""TD209: a connection that stays open, unused, after its peer has closed."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.bounds import KEPT
from tracediag.evidence.cases import Cases
from tracediag.evidence.steps import birth, last_line, no
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_release, on_round, on_trace_end, on_traffic
from tracediag.rules.socket._names import connection
from tracediag.trace.calls import ACCEPTS, READS, SENDFILES, WRITES
from tracediag.trace.events import Event, Syscall
from tracediag.trace.quantities import count
from tracediag.trace.records import Exit
from tracediag.trace.values import names_of

_STANDARD_STREAMS = 3
_TURNS = 3
"""Further turns of the loop, or connections accepted, after which an idle connection counts as forgotten."""
_MANY = 3


class _HalfClosed(msgspec.Struct):
    """A connection whose peer has closed."""

    process: Process
    descriptor: Descriptor
    end: Syscall
    """The read that returned 0."""
    turns: int
    """The turns of the process when the read returned 0."""
    removed: Syscall | None = None
    """The EPOLL_CTL_DEL after that."""


class HalfClosedLeak(Rule):
    """The peer has closed, and the descriptor is neither used nor closed for the rest of the trace."""

    code = "TD209"
    name = "half-closed-leak"
    severity = Severity.WARNING
    summary = "a connection is never closed after the peer closes: it stays in CLOSE_WAIT and keeps its descriptor"
    rests_on = ("close",)

    def __init__(self) -> None:
        self._half_closed: Cases[OpenFile, _HalfClosed] = Cases()
        self._forgotten: dict[Process, list[_HalfClosed]] = {}
        """Those of processes that have ended."""
        self._turns: Cases[Process, int] = Cases(merge=max)
        """How often the loops of a process have turned."""

    @on_traffic(*READS)
    def received(self, action: Action) -> None:
        """Remember the end of a stream; a second read, or data, is a use."""
        if action.call.result != 0 and not self._half_closed:
            return
        descriptor = action.descriptor
        if descriptor is None or (socket := descriptor.file.socket) is None:
            return
        ended = socket.ended is action.call and socket.stream is not False
        if not ended or descriptor.number < _STANDARD_STREAMS or socket.shut is not None:
            self._half_closed.pop(descriptor.file, None)
        elif len(self._half_closed) < KEPT:
            process = action.process
            self._half_closed[descriptor.file] = _HalfClosed(
                process, descriptor, action.call, self._turns.get(process, 0)
            )

    @on_traffic(*WRITES, *SENDFILES, "shutdown", "connect")
    def used(self, action: Action) -> None:
        """The other direction is still in use."""
        if self._half_closed and action.descriptor is not None:
            self._half_closed.pop(action.descriptor.file, None)

    @on_call("epoll_ctl")
    def removed(self, action: Action) -> None:
        """The descriptor leaves the set: no wait will report it any more."""
        entry = action.registration
        left = None if entry is None or not self._half_closed else self._half_closed.get(entry.file)
        if left is not None and "EPOLL_CTL_DEL" in names_of(action.call.arg(1)):
            left.removed = action.call

    @on_round
    def turned(self, action: Action) -> None:
        """Count the turns of the loops of a process with such a connection."""
        if self._half_closed:
            self._turns[action.process] = self._turns.get(action.process, 0) + 1

    @on_call(*ACCEPTS)
    def accepted(self, action: Action) -> None:
        """Count the accepts of a server without a loop."""
        if self._half_closed and not action.thread.rounds:
            self._turns[action.process] = self._turns.get(action.process, 0) + 1

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """A close settles the connection; the end of the process shows that it was forgotten."""
        if not self._half_closed:
            return
        for descriptor in action.released:
            left = self._half_closed.get(descriptor.file)
            if left is None or descriptor.file.holders:
                continue
            del self._half_closed[descriptor.file]
            if isinstance(action.event, Exit):
                self._forgotten.setdefault(left.process.current, []).append(left)
        yield from self._of_ended(action.event)

    def _of_ended(self, event: Event) -> Iterator[Finding]:
        for half_closed in self._forgotten.values():
            yield from self._judge(half_closed, event.line)
        self._forgotten.clear()

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge what is still open at the end of the trace."""
        by_process: dict[Process, list[_HalfClosed]] = {}
        for left in self._half_closed.values():
            by_process.setdefault(left.process.current, []).append(left)
        for half_closed in by_process.values():
            yield from self._judge(half_closed, last_line(kernel))

    def _judge(self, half_closed: list[_HalfClosed], until: int) -> Iterator[Finding]:
        idle = [left for left in half_closed if self._turns.get(left.process.current, 0) - left.turns >= _TURNS]
        # A single one that is still watched may be closed later.
        if len(idle) >= _MANY or any(left.removed is not None for left in idle):
            yield self._finding(idle, until)

    def _finding(self, half_closed: list[_HalfClosed], until: int) -> Finding:
        left = next((left for left in half_closed if left.removed is not None), half_closed[0])
        number, many = left.descriptor.number, len(half_closed)
        title = f"{connection(left.descriptor)} is never closed after the peer closes"
        if many > 1:
            title = f"{count(many)} connections are never closed after their peers close"
        return self.finding(
            _story(left),
            object=describe(left.descriptor),
            title=title,
            confidence=Confidence.CERTAIN if many >= _MANY and left.removed is not None else Confidence.LIKELY,
            absent=[no(f"use or close of fd {number}", left.end, until)],
            why="after the peer's close a TCP connection stays in CLOSE_WAIT and keeps its descriptor until this side"
            " closes it; EPOLL_CTL_DEL does not close a descriptor: RFC 9293 3.6, epoll_ctl(2)",
            fix=f"when recv on fd {number} returns 0, send what is left to send, then close({number})",
        )


def _story(left: _HalfClosed) -> Iterator[Step]:
    number = left.descriptor.number
    yield from birth(left.descriptor)
    yield step(left.end, f"end of stream: the peer of fd {number} has closed", primary=True)
    if left.removed is not None:
        yield step(left.removed, f"fd {number} leaves the epoll set and stays open")
