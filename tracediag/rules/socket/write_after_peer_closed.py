"""TD202: a write to a peer that has closed, told with all that went before."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.events import Syscall
from tracediag.findings import Finding, Severity, Step, step
from tracediag.kernel import Action
from tracediag.kernel.calls.transfer import BROKEN, WRITES
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.socket import Socket
from tracediag.rules.base import Rule, on_errno
from tracediag.rules.steps import birth


_BOTH_WAYS = frozenset({"EPOLLHUP", "EPOLLERR", "POLLHUP", "POLLERR"})
"""What is reported when both directions are gone; RDHUP alone is a half-close, after which writing is right."""


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
        if descriptor.file.kind is Kind.PIPE or (socket is not None and socket.broken is not call):
            return
        told = None if socket is None else _told(socket, call)
        # A program may well finish the turn in which it is told; to write in a later one is a mistake.
        this_turn = any(turn.wait is told for turn in action.thread.rounds.values())
        gone = socket is not None and told is socket.hung_up and bool(socket.hung_up_events & _BOTH_WAYS)
        yield self._finding(descriptor, call, told, Severity.WARNING if gone and not this_turn else Severity.NOTE)

    def _finding(self, descriptor: Descriptor, call: Syscall, told: Syscall | None, severity: Severity) -> Finding:
        socket = descriptor.file.socket
        before = None if socket is None else socket.last_write
        return self.finding(
            [*birth(descriptor), *_story(call, before, told, socket)],
            object=describe(descriptor),
            title="the program writes to a peer that has closed the connection",
            severity=severity,
            why=_why(call, before),
            fix=f"take {call.errno} as the end of the connection: take fd {descriptor.number} out of the event loop and close it"
            + ("; stop writing once the peer's end is seen" if told is not None else ""),
        )


def _why(call: Syscall, before: Syscall | None) -> str:
    if before is None:
        return f"the peer's reset had arrived before this write, so the kernel refuses it with {call.errno}: tcp(7), send(2)"
    return (
        "a write only fills the send buffer: the first one after the peer's close still succeeds, and its data are answered"
        f" with a RST; once that has arrived the next write gets {call.errno}: tcp(7), RFC 9293 3.10.7.1"
    )


def _told(socket: Socket, call: Syscall) -> Syscall | None:
    """Return what had told of the peer's end before: a read of 0 bytes, or a wait that reported a hang-up."""
    signs = [sign for sign in (socket.hung_up, socket.ended) if sign is not None and sign.line < call.line]
    return min(signs, key=lambda sign: sign.line, default=None)


def _story(call: Syscall, before: Syscall | None, told: Syscall | None, socket: Socket | None) -> Iterator[Step]:
    if socket is not None and socket.last_read is not None:
        yield step(socket.last_read, "the last data from the peer")
    if told is not None:
        yield step(told, "the peer's end is told here")
    if before is not None:
        yield step(before, "still succeeds: the kernel takes it into the send buffer, whoever is left to read it")
    yield step(call, f"fails with {call.errno}: the peer's reset has arrived", primary=True)
