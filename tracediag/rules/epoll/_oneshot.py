"""Registrations that fire once: what happened to one since it fired, and how bad it is that it is still disarmed."""

from __future__ import annotations

import msgspec

from tracediag.kernel.calls.transfer import asked
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.epoll import Registration
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Severity
from tracediag.trace.calls import ACCEPTS, READS
from tracediag.trace.events import Begun, Syscall

TAKES = frozenset({*READS, *ACCEPTS, "splice"})


class Armed(msgspec.Struct):
    """The call that armed a registration for one event."""

    call: Syscall
    on_demand: bool
    """Whether a read had failed with EAGAIN before: a runtime that arms only for a task that waits right now."""


class Fired(msgspec.Struct):
    """A registration that is disarmed because its one event was reported."""

    entry: Registration
    descriptor: Descriptor
    process: Process
    armed: Armed
    wait: Syscall
    unread: bool
    last: Syscall | None = None
    """The last call on the descriptor since."""
    taken: Syscall | None = None
    """The last read or accept since."""
    again: Syscall | Begun | None = None
    """The first wait on the set that began after all that."""
    sent: Syscall | None = None
    """What a traced peer has sent and no call has read."""
    request: Syscall | None = None
    """Where that peer began to send since it last read: its request, if this is one."""

    @property
    def line(self) -> int:
        """The last line that concerns the descriptor."""
        return max(self.wait.end_line, self.last.end_line if self.last is not None else 0)

    def touch(self, call: Syscall) -> None:
        """Note a call on the descriptor."""
        self.last, self.again = call, None
        if call.name in TAKES:
            self.taken, self.sent = call, None
            self.unread = False


def verdict(fired: Fired, *, rearms: bool) -> tuple[Severity, Confidence] | None:
    """Return how bad and how sure it is; None where the program may intend it."""
    if fired.sent is not None or (fired.unread and fired.entry.file.kind is Kind.SOCKET):
        if fired.armed.on_demand and fired.sent is None:
            return None  # the task that waited for it may have stopped waiting
        choosy = rearms or fired.armed.on_demand
        if choosy and (fired.armed.on_demand or _has_upstream(fired.process)):
            return Severity.WARNING, Confidence.LIKELY  # it may throttle its peer on purpose
        sure = fired.entry.added is not None and not choosy
        return Severity.ERROR, Confidence.CERTAIN if sure else Confidence.LIKELY
    last = fired.last
    if last is None or fired.taken is None or last.result == 0:
        return None
    if last.errno == "EAGAIN":
        return Severity.WARNING, Confidence.LIKELY
    # A program that arms only what it is waiting for is right to leave an idle connection disarmed.
    if last.failed or rearms or fired.armed.on_demand:
        return None
    if last is fired.taken and is_full(last):
        return Severity.ERROR, Confidence.LIKELY
    if last.name in READS and _has_upstream(fired.process):
        return None
    return Severity.WARNING, Confidence.LIKELY


def is_full(call: Syscall) -> bool:
    """Whether a read has filled its buffer: there may be more."""
    return call.name in READS and bool(call.result) and call.result == asked(call)


def _has_upstream(process: Process) -> bool:
    """Whether it is a client itself: the request may be waiting for the answer of another server."""
    sockets = (descriptor.file.socket for descriptor in process.table)
    return any(socket is not None and socket.connected is not None for socket in sockets)


def other_end(file: OpenFile, *, mirrored: bool) -> tuple[object, object] | None:
    """Return a key that both ends of a connection share: the peer's view (mirrored), or this end's own."""
    if file.pipe is not None:
        return ("pipe", file.pipe.pipe)
    socket = file.socket
    if socket is None:
        return None
    made = socket.connected
    if made is not None and made.name == "socketpair":
        return ("pair", (made.pid, made.line))
    if socket.accepting:
        return backlog(socket.local)
    if socket.local is None or socket.peer is None:
        return None
    return (socket.peer, socket.local) if mirrored else (socket.local, socket.peer)


def backlog(address: str | None) -> tuple[object, object] | None:
    """Return a key that a listener shares with the sockets that connect to it."""
    return None if address is None else ("backlog", address)
