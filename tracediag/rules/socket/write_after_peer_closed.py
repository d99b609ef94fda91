"""TD202: a write to a peer that has closed, with the history of the connection."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.peers import departure
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action
from tracediag.kernel.calls.transfer import BROKEN
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.socket import Socket
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_errno
from tracediag.rules.socket._names import toward
from tracediag.trace.calls import WRITES
from tracediag.trace.events import Syscall
from tracediag.trace.values import names_of

_BOTH_WAYS = frozenset({"EPOLLHUP", "EPOLLERR", "POLLHUP", "POLLERR"})
"""Reported when both directions are closed; RDHUP alone is a half-close, after which writing is right."""

_STANDARD_STREAMS = 3
"""Below this a descriptor of unknown kind is more likely a pipe or a terminal."""


class WriteAfterPeerClosed(Rule):
    """EPIPE or ECONNRESET on a write, with what happened before: the last success, and the first sign of the end."""

    code = "TD202"
    name = "write-after-peer-closed"
    severity = Severity.NOTE
    summary = "a write fails because the peer has closed; shows the last success and the first sign of the close"

    def __init__(self) -> None:
        self._told: Cases[Descriptor, None] = Cases()

    @on_errno(*BROKEN)
    def failed(self, action: Action) -> Iterator[Finding]:
        """Report the first failed write of a connection."""
        call, descriptor = action.call, action.descriptor
        if descriptor is None or call.name not in WRITES or descriptor in self._told:
            return
        self._told[descriptor] = None
        socket = descriptor.file.socket
        if not _peer_had(descriptor) or (socket is not None and socket.broken is not call):
            return
        sign = None if socket is None else _first_sign(socket, call)
        # A program may finish the turn in which the wait reports it; to write in a later turn is a mistake.
        this_turn = any(turn.wait is sign for turn in action.thread.rounds.values())
        gone = sign is not None and socket is not None and _hung_up_both_ways(socket) and sign is socket.hung_up
        left = departure(action.kernel, descriptor.file, call)
        yield self._finding(descriptor, call, sign, left, ignored=gone and not this_turn)

    def _finding(
        self, descriptor: Descriptor, call: Syscall, sign: Syscall | None, left: Step | None, *, ignored: bool
    ) -> Finding:
        socket, number = descriptor.file.socket, descriptor.number
        before = None if socket is None else socket.last_write
        how = "reset" if call.errno == "ECONNRESET" else "closed"
        title = f"{call.name} {toward(descriptor)} fails with {call.errno}: the peer has {how} the connection"
        if ignored:
            title = f"the program keeps writing {toward(descriptor)} after the hang-up was reported"
        stop = f"; stop writing when a wait or read on fd {number} reports the end" if sign is not None else ""
        return self.finding(
            [*birth(descriptor), *_story(call, before, sign, socket), *([] if left is None else [left])],
            object=describe(descriptor),
            title=title,
            severity=Severity.WARNING if ignored else Severity.NOTE,
            confidence=Confidence.CERTAIN if _surely(descriptor, call) else Confidence.LIKELY,
            absent=[no(f"close of fd {number}", sign, call)] if ignored and sign is not None else [],
            why=_why(call, before, socket),
            fix=f"on {call.errno} remove fd {number} from the event loop and close({number}){stop}",
        )


def _peer_had(descriptor: Descriptor) -> bool:
    """Whether the error means that a peer left: no pipe, and no shutdown by the program itself."""
    socket = descriptor.file.socket
    if socket is None:
        return descriptor.file.kind is Kind.UNKNOWN and descriptor.number >= _STANDARD_STREAMS
    if socket.shut is not None and names_of(socket.shut.arg(1)) & {"SHUT_WR", "SHUT_RDWR"}:
        return False
    opened = descriptor.file.opened
    never_connected = opened is not None and opened.name == "socket" and socket.connected is None
    return not never_connected


def _surely(descriptor: Descriptor, call: Syscall) -> bool:
    """Whether it is surely a socket, and surely closed by the peer.

    A write after the program's own shutdown also fails with EPIPE. The trace may have missed that shutdown only where
    it shows neither the call that made the socket nor a write that succeeded.
    """
    socket = descriptor.file.socket
    if socket is None:
        return False
    return call.errno != "EPIPE" or descriptor.opened is not None or socket.last_write is not None


def _hung_up_both_ways(socket: Socket) -> bool:
    return bool(socket.hung_up_events & _BOTH_WAYS)


def _first_sign(socket: Socket, call: Syscall) -> Syscall | None:
    """Return what reported the peer's close before: a hang-up of both directions, else the first sign."""
    signs = [sign for sign in (socket.hung_up, socket.ended) if sign is not None and sign.line < call.line]
    if socket.hung_up in signs and _hung_up_both_ways(socket):
        return socket.hung_up
    return min(signs, key=lambda sign: sign.line, default=None)


def _unix(socket: Socket | None) -> bool:
    if socket is None:
        return False
    return socket.family in ("AF_UNIX", "AF_LOCAL", "PF_UNIX", "PF_LOCAL") or (socket.protocol or "").startswith("UNIX")


def _why(call: Syscall, before: Syscall | None, socket: Socket | None) -> str:
    if _unix(socket):
        return (
            "a unix socket knows immediately that the peer has closed: the first write then fails with EPIPE: unix(7)"
        )
    if call.errno == "ECONNRESET":
        return (
            "a reset means that the peer closed with unread data or SO_LINGER 0, or no longer knows the connection; the"
            " first call after the reset fails with ECONNRESET, further writes with EPIPE: tcp(7), RFC 2525 2.17"
        )
    if before is None:
        return "a write fails with EPIPE once the peer has closed and its reset has arrived: tcp(7), send(2)"
    return (
        "a write only fills the send buffer: the first write after the peer's close still succeeds, the peer's kernel"
        " answers with RST, and later writes fail with EPIPE: tcp(7), RFC 9293 3.10.7.1"
    )


def _story(call: Syscall, before: Syscall | None, sign: Syscall | None, socket: Socket | None) -> Iterator[Step]:
    if socket is not None and socket.last_read is not None:
        yield step(socket.last_read, "the last data from the peer")
    if sign is not None:
        hung_up = socket is not None and sign is socket.hung_up
        yield step(sign, "the hang-up is reported here" if hung_up else "end of stream: the peer has closed")
    if before is not None:
        yield step(before, _still(call, socket))
    gone = "the peer has closed" if _unix(socket) else "the peer's reset has arrived"
    yield step(call, f"fails with {call.errno}: {gone}", primary=True)


def _still(call: Syscall, socket: Socket | None) -> str:
    """Say why the write before succeeded."""
    if _unix(socket):
        return "succeeds: the peer is still open"
    if call.errno == "ECONNRESET":
        return "succeeds: no reset has arrived yet"
    return "still succeeds: the kernel only copies the data into the send buffer"
