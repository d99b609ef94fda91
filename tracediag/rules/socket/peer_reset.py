"""TD216: a read that fails because the peer reset the connection, and what was received before."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.bounds import KEPT
from tracediag.evidence.cases import Cases
from tracediag.evidence.peers import departure
from tracediag.evidence.steps import birth
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.socket import Socket
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_errno, on_process_end
from tracediag.rules.socket._names import peer_of
from tracediag.trace.calls import READS
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import plural, size

_NEAR = 60
"""Lines between the reset and a bad end within which the reset counts as the cause."""


class _Reset(msgspec.Struct):
    """A reset, with what was exchanged before."""

    process: Process
    descriptor: Descriptor
    call: Syscall
    read: Syscall | None
    written: Syscall | None
    asked: bool | None = None
    """Whether this side made the connection, and so sends the requests; None where that is not known."""

    @property
    def answered(self) -> bool:
        """Whether data arrived after the last send of this side, or without any send."""
        if self.read is None:
            return False
        return self.written is None or self.written.line < self.read.line


class PeerReset(Rule):
    """read or recv = ECONNRESET: the end after a complete answer, else the answer is lost."""

    code = "TD216"
    name = "peer-reset"
    severity = Severity.WARNING
    summary = "a read fails with ECONNRESET: the peer reset the connection, and an answer may be lost"

    def __init__(self) -> None:
        self._resets: Cases[OpenFile, _Reset] = Cases(outlive=True)

    @on_errno("ECONNRESET")
    def failed(self, action: Action) -> None:
        """Remember the reset; the end of the process shows how bad it was."""
        call, descriptor = action.call, action.descriptor
        if call.name not in READS or descriptor is None or len(self._resets) >= KEPT:
            return
        socket = descriptor.file.socket
        if socket is not None and (socket.stream is False or socket.broken not in (None, call)):
            return  # a datagram socket, or a connection that a write found broken before, is for other rules
        reset = _Reset(action.process, descriptor, call, None, None)
        if socket is not None:
            reset.read, reset.written = socket.last_read, socket.last_write
            reset.asked = _asked(socket)
        self._resets.setdefault(descriptor.file, reset)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the resets when the process or the trace ends."""
        for key, reset in [item for item in self._resets.items() if item[1].process is end.process]:
            del self._resets[key]
            yield self._finding(reset, end.kernel)

    def _finding(self, reset: _Reset, kernel: Kernel) -> Finding:
        call, number, excerpt = reset.call, reset.descriptor.number, self.scope.is_excerpt
        bad = Aftermath(reset.process, call).ended_within(_NEAR)
        nothing_lost = reset.answered and not bad
        waiting = not reset.answered and (excerpt or (reset.asked is True and reset.written is not None))
        # A server whose client leaves has nothing to lose; a client that sent a request has lost the answer.
        left = departure(kernel, reset.descriptor.file, call)
        where = "its log, exit status, timeouts" if left is None else f"line {left.line}"
        severity = Severity.ERROR if bad else Severity.WARNING if waiting else Severity.NOTE
        return self.finding(
            _story(reset, left, bad=bad),
            object=describe(reset.descriptor),
            title=_title(reset),
            severity=severity,
            confidence=Confidence.CERTAIN,
            why="the peer's kernel sends a reset when the peer closes with unread data or with SO_LINGER 0, or does not"
            " know the connection; data that arrived before the reset can still be read: socket(7), RFC 2525 2.17",
            fix=(
                f"treat ECONNRESET on fd {number} as end of stream, and use the answer if it is complete"
                if nothing_lost or reset.answered
                else f"find out why {peer_of(reset.descriptor)} dropped the connection ({where}), and repeat the"
                " request on a new connection if that is safe"
            ),
            explains=[("failed-call-behind-exit", call.line)],
        )


def _asked(socket: Socket) -> bool | None:
    if socket.accepted is not None or socket.accepting:
        return False
    return True if socket.connected is not None else None


def _title(reset: _Reset) -> str:
    title = f"{peer_of(reset.descriptor)} resets the connection"
    if reset.answered:
        got = size((reset.read.result if reset.read is not None else None) or 0)
        return f"{title} after {got} of data: only an abrupt end if the answer was complete"
    if reset.written is not None and reset.asked:
        return f"{title}: the request gets no answer"
    return title


def _story(reset: _Reset, left: Step | None, *, bad: bool) -> Iterator[Step]:
    if left is None:
        yield from birth(reset.descriptor)
    else:
        yield left
    if reset.written is not None:
        yield step(reset.written, "the last data sent")
    if reset.read is not None:
        yield step(reset.read, f"the last data received: {plural(reset.read.result or 0, 'byte')}")
    waiting = reset.written is not None and reset.asked and not reset.answered
    unanswered = ": the request is unanswered" if waiting else ""
    yield step(reset.call, f"the peer has reset the connection{unanswered}", primary=True)
    if bad:
        yield from Aftermath(reset.process, reset.call).steps()
