"""TD202: a write to a peer that has closed, told with all that went before."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.peers import departure
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action
from tracediag.kernel.calls.transfer import BROKEN
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.socket import Socket
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_errno
from tracediag.trace.calls import WRITES
from tracediag.trace.events import Syscall
from tracediag.trace.values import names_of

_BOTH_WAYS = frozenset({"EPOLLHUP", "EPOLLERR", "POLLHUP", "POLLERR"})
"""What is reported when both directions are gone; RDHUP alone is a half-close, after which writing is right."""

_STANDARD_STREAMS = 3
"""Below this a descriptor of unknown kind is rather a pipe or a terminal."""


class WriteAfterPeerClosed(Rule):
    """EPIPE or ECONNRESET on a write, with the story: what still succeeded and why, and what had told of the end."""

    code = "TD202"
    name = "write-after-peer-closed"
    severity = Severity.NOTE
    summary = "a write fails since the peer has closed; which earlier write still succeeded, and what had told of it"

    @on_errno(*BROKEN)
    def failed(self, action: Action) -> Iterator[Finding]:
        """Tell the story of the first failed write of a connection."""
        call, descriptor = action.call, action.descriptor
        if descriptor is None or call.name not in WRITES or self.name in descriptor.memory:
            return
        descriptor.memory[self.name] = True
        socket = descriptor.file.socket
        if not _peer_had(descriptor) or (socket is not None and socket.broken is not call):
            return
        told = None if socket is None else _told(socket, call)
        # A program may well finish the turn in which it is told; to write in a later one is a mistake.
        this_turn = any(turn.wait is told for turn in action.thread.rounds.values())
        gone = told is not None and socket is not None and _hung_up_both_ways(socket) and told is socket.hung_up
        left = departure(action.kernel, descriptor.file, call)
        yield self._finding(descriptor, call, told, left, ignored=gone and not this_turn)

    def _finding(
        self, descriptor: Descriptor, call: Syscall, told: Syscall | None, left: Step | None, *, ignored: bool
    ) -> Finding:
        socket, number = descriptor.file.socket, descriptor.number
        before = None if socket is None else socket.last_write
        title = "the program writes to a peer that has closed the connection"
        if ignored:
            title = "a hang-up is told, and the program writes to that peer all the same"
        stop = "; stop writing once the peer's end is told" if told is not None else ""
        return self.finding(
            [*birth(descriptor), *_story(call, before, told, socket), *([] if left is None else [left])],
            object=describe(descriptor),
            title=title,
            severity=Severity.WARNING if ignored else Severity.NOTE,
            confidence=Confidence.CERTAIN if _surely(descriptor, call) else Confidence.LIKELY,
            absent=[no(f"close of fd {number}", told, call)] if ignored and told is not None else [],
            why=_why(call, before, socket),
            fix=f"take {call.errno} as the end: take fd {number} out of the event loop and close it{stop}",
        )


def _peer_had(descriptor: Descriptor) -> bool:
    """Whether the error tells of a peer that was there and left: not of a pipe, nor of the program's own shutdown."""
    socket = descriptor.file.socket
    if socket is None:
        return descriptor.file.kind is Kind.UNKNOWN and descriptor.number >= _STANDARD_STREAMS
    if socket.shut is not None and names_of(socket.shut.arg(1)) & {"SHUT_WR", "SHUT_RDWR"}:
        return False
    opened = descriptor.file.opened
    never_connected = opened is not None and opened.name == "socket" and socket.connected is None
    return not never_connected


def _surely(descriptor: Descriptor, call: Syscall) -> bool:
    """Whether it is surely a socket, and surely the peer's doing.

    EPIPE also answers a write after the program's own shutdown. That could only have gone unseen where the trace shows
    neither the socket's birth nor a write that succeeded.
    """
    socket = descriptor.file.socket
    if socket is None:
        return False
    return call.errno != "EPIPE" or descriptor.opened is not None or socket.last_write is not None


def _hung_up_both_ways(socket: Socket) -> bool:
    return bool(socket.hung_up_events & _BOTH_WAYS)


def _told(socket: Socket, call: Syscall) -> Syscall | None:
    """Return what had told of the peer's end before: a hang-up of both directions, else whatever came first."""
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
        return "a unix socket knows at once that its peer has closed: the first write after that gets EPIPE: unix(7)"
    if call.errno == "ECONNRESET":
        return (
            "the peer has reset the connection: it closed with data unread or with SO_LINGER 0, or lost the connection;"
            " the first call to notice gets ECONNRESET, a further write EPIPE and SIGPIPE: tcp(7), RFC 2525 2.17"
        )
    if before is None:
        return "the peer had closed, and its reset had arrived before this write: tcp(7), send(2)"
    return (
        "a write only fills the send buffer: the first one after the peer's close still succeeds, and its data are"
        " answered with a RST; once that has arrived the next write gets EPIPE: tcp(7), RFC 9293 3.10.7.1"
    )


def _story(call: Syscall, before: Syscall | None, told: Syscall | None, socket: Socket | None) -> Iterator[Step]:
    if socket is not None and socket.last_read is not None:
        yield step(socket.last_read, "the last data from the peer")
    if told is not None:
        yield step(told, "the peer's end is told here")
    if before is not None:
        yield step(before, _still(call, socket))
    gone = "the peer has closed" if _unix(socket) else "the peer's reset has arrived"
    yield step(call, f"fails with {call.errno}: {gone}", primary=True)


def _still(call: Syscall, socket: Socket | None) -> str:
    """Say what the success of the write before means."""
    if _unix(socket):
        return "succeeds: the peer was still there"
    if call.errno == "ECONNRESET":
        return "succeeds: no reset had arrived yet"
    return "still succeeds: the kernel takes it into the send buffer, whoever is left to read it"
