"""TD216: a read that fails since the peer has reset the connection, and what had come before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.bounds import KEPT
from tracediag.evidence.peers import departure
from tracediag.evidence.steps import birth
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.socket import Socket
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_errno, on_process_end
from tracediag.trace.calls import READS
from tracediag.trace.events import Syscall

_NEAR = 60
"""Lines between the reset and a bad end within which the one is taken for the cause of the other."""


@dataclass(slots=True)
class _Reset:
    """A reset, with what had been exchanged before."""

    process: Process
    descriptor: Descriptor
    call: Syscall
    read: Syscall | None
    written: Syscall | None
    asked: bool | None = None
    """Whether this side made the connection, and so is the one that asks; None where that is not known."""

    @property
    def answered(self) -> bool:
        """Whether data had come since this side had last sent something, or on a connection where it sends nothing."""
        if self.read is None:
            return False
        return self.written is None or self.written.line < self.read.line


class PeerReset(Rule):
    """read or recv = ECONNRESET: after a whole answer it is the end, before it the answer is lost."""

    code = "TD216"
    name = "peer-reset"
    severity = Severity.WARNING
    summary = "a read fails with ECONNRESET: what had come before tells whether anything is lost"

    def __init__(self) -> None:
        self._resets: dict[int, _Reset] = {}

    @on_errno("ECONNRESET")
    def failed(self, action: Action) -> None:
        """Take note of it; how bad it was shows when the process ends."""
        call, descriptor = action.call, action.descriptor
        if call.name not in READS or descriptor is None or len(self._resets) >= KEPT:
            return
        socket = descriptor.file.socket
        if socket is not None and (socket.stream is False or socket.broken not in (None, call)):
            return  # a datagram socket, or one that a write has found broken before, tells another story
        reset = _Reset(action.process, descriptor, call, None, None)
        if socket is not None:
            reset.read, reset.written = socket.last_read, socket.last_write
            reset.asked = _asked(socket)
        self._resets.setdefault(id(descriptor.file), reset)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """The process ends, well or badly, or the trace does; in an excerpt the reset is the subject."""
        for key, reset in [item for item in self._resets.items() if item[1].process is end.process]:
            del self._resets[key]
            yield self._finding(reset, end.kernel)

    def _finding(self, reset: _Reset, kernel: Kernel) -> Finding:
        call, number, excerpt = reset.call, reset.descriptor.number, self.scope.is_excerpt
        bad = Aftermath(reset.process, call).ended_within(_NEAR)
        nothing_lost = reset.answered and not bad
        waiting = not reset.answered and (excerpt or (reset.asked is True and reset.written is not None))
        # A server whose client goes away has nobody to answer; a client that has asked has lost the answer.
        left = departure(kernel, reset.descriptor.file, call)
        where = "log, exit, time-out" if left is None else f"line {left.line}"
        severity = Severity.ERROR if bad else Severity.WARNING if waiting else Severity.NOTE
        return self.finding(
            _story(reset, left, bad=bad),
            object=describe(reset.descriptor),
            title=_title(reset),
            severity=severity,
            confidence=Confidence.CERTAIN,
            why="the peer's kernel sends a reset when the peer closes with data unread, closes with SO_LINGER 0, or has"
            " died; data that had arrived before can still be read: tcp(7), RFC 2525 2.17",
            fix=(
                f"take ECONNRESET on fd {number} as the end of the stream and use what has come, if it is whole"
                if nothing_lost or reset.answered
                else f"find out why the peer of fd {number} dropped the connection ({where}), and"
                " repeat the request on a new connection if that is safe"
            ),
            explains=[("failed-call-behind-exit", call.line)],
        )


def _asked(socket: Socket) -> bool | None:
    if socket.accepted is not None or socket.accepting:
        return False
    return True if socket.connected is not None else None


def _title(reset: _Reset) -> str:
    got = reset.read.result if reset.read is not None else 0
    if reset.answered:
        return f"the peer resets the connection after {got} bytes of its answer: if that was all, it is only the end"
    if reset.written is not None and reset.asked:
        return "the peer resets the connection, and the request has had no answer"
    return "the peer resets the connection"


def _story(reset: _Reset, left: Step | None, *, bad: bool) -> Iterator[Step]:
    if left is None:
        yield from birth(reset.descriptor)
    else:
        yield left
    if reset.written is not None:
        yield step(reset.written, "the last data sent")
    if reset.read is not None:
        yield step(reset.read, f"the last data received, {reset.read.result} bytes")
    waiting = reset.written is not None and reset.asked and not reset.answered
    lost = "nothing had come since" if waiting else "the end of the connection"
    yield step(reset.call, f"the peer has reset the connection: {lost}", primary=True)
    if bad:
        yield from Aftermath(reset.process, reset.call).steps()
