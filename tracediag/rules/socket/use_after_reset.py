"""TD203: a connection that is still used after the kernel reported it dead."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.runs import Run
from tracediag.evidence.steps import birth
from tracediag.kernel import Action, Kernel
from tracediag.kernel.calls.transfer import BROKEN
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_release, on_trace_end, on_traffic
from tracediag.rules.socket._names import connection
from tracediag.trace.calls import READS, WRITES
from tracediag.trace.events import Event, Syscall
from tracediag.trace.values import names_of

_STANDARD_STREAMS = 3
"""Below this a descriptor of unknown kind is more likely a pipe or a terminal."""


class _Use(Run, kw_only=True):
    """The calls after the end of a connection."""

    descriptor: Descriptor
    broken: Syscall


class UseAfterReset(Rule):
    """Writes after EPIPE or ECONNRESET, or reads after ECONNRESET: the connection cannot come back."""

    code = "TD203"
    name = "use-after-reset"
    severity = Severity.WARNING
    summary = "a connection is still read or written after EPIPE or ECONNRESET"

    def __init__(self) -> None:
        self._broken: Cases[OpenFile, Syscall] = Cases()
        """The call that showed the end of each connection."""
        self._uses: Cases[OpenFile, _Use] = Cases()

    @on_traffic(*READS, *WRITES)
    def used(self, action: Action) -> None:
        """Count the calls after the end."""
        descriptor, call = action.descriptor, action.call
        if descriptor is None or not (call.errno in BROKEN or self._broken):
            return
        file = descriptor.file
        broken = self._broken.get(file)
        if broken is not None and _pointless(broken, call):
            use = self._uses.get(file)
            if use is not None:
                use.add(call)
            else:
                self._uses[file] = _Use(call, call, descriptor=descriptor, broken=broken)
        elif broken is None and call.errno in BROKEN and _connection(descriptor) and not _ended_by_itself(file):
            self._broken[file] = call

    @on_call("connect")
    def connected(self, action: Action) -> None:
        """A socket that connects again starts afresh."""
        if action.descriptor is not None and action.call.result == 0:
            self._broken.pop(action.descriptor.file, None)

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """Judge the connection at its last close."""
        for descriptor in action.released:
            use = None if _held(descriptor.file) else self._uses.pop(descriptor.file, None)
            if use is not None:
                yield self._finding(use, action.event)

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge what is still open at the end of the trace."""
        del kernel
        for use in self._uses.values():
            yield self._finding(use, None)

    def _finding(self, use: _Use, end: Event | None) -> Finding:
        number, dead = use.descriptor.number, use.broken.errno
        # One more call before the close does no harm; a second one shows that the program ignores the result.
        harmless = use.times == 1 and isinstance(end, Syscall)
        sure = _known(use.descriptor)
        # A recording of failures hides the close, and the next connection under the same number.
        slight = harmless or self.scope.hides_successes
        return self.finding(
            _steps(use, end),
            object=describe(use.descriptor),
            title=f"{connection(use.descriptor)} is used once more after {dead}"
            if harmless
            else f"{connection(use.descriptor)} is still used after {dead}",
            severity=Severity.NOTE if slight else Severity.WARNING,
            confidence=Confidence.CERTAIN if sure else Confidence.LIKELY,
            why="after a reset the socket has no peer: every write fails with EPIPE (and raises SIGPIPE), reads"
            " return 0 once the buffer is empty, and the connection cannot recover: send(2), tcp(7)",
            fix=f"check the result of each call; on {dead} stop using fd {number}, remove the descriptor from the event"
            f" loop and close({number})",
            explains=[("send-without-nosignal", use.first.line)],
        )


def _steps(use: _Use, end: Event | None) -> Iterator[Step]:
    number, first = use.descriptor.number, use.first
    yield from birth(use.descriptor)
    yield step(use.broken, f"{use.broken.errno}: the connection is dead")
    got = "returns 0" if first.errno is None else f"fails with {first.errno}"
    yield use.together(f"fd {number} is used again: {first.name} {got}", primary=True)
    if isinstance(end, Syscall) and end.name == "close":
        yield step(end, f"fd {number} is closed only here")


def _connection(descriptor: Descriptor) -> bool:
    """Whether a descriptor is a connection: no pipe, and no datagram socket, which survives errors."""
    file = descriptor.file
    if file.socket is not None:
        return file.socket.stream is not False
    return file.kind is Kind.UNKNOWN and descriptor.number >= _STANDARD_STREAMS


def _ended_by_itself(file: OpenFile) -> bool:
    """Whether the program shut down its own direction: then EPIPE is not about the peer."""
    shut = None if file.socket is None else file.socket.shut
    return shut is not None and bool(names_of(shut.arg(1)) & {"SHUT_WR", "SHUT_RDWR"})


def _known(descriptor: Descriptor) -> bool:
    """Whether a descriptor is surely one connection, the same at every call.

    Where the trace shows neither the call that made it nor any data sent or received, the program's own shutdown may
    precede the trace, and a recording of failures only may leave out a close and the next accept.
    """
    socket = descriptor.file.socket
    if socket is None:
        return False
    return descriptor.opened is not None or socket.last_write is not None or socket.last_read is not None


def _held(file: OpenFile) -> bool:
    """Whether another descriptor still refers to it, in a process that the trace follows."""
    return bool(file.heirs) or any(holder.table.seen for holder in file.holders)


def _pointless(broken: Syscall, call: Syscall) -> bool:
    """Whether the call cannot succeed: after a failed *write* there may still be data of the peer to read."""
    if call.name in WRITES:
        return call.errno in BROKEN
    return call.errno in BROKEN or (broken.name in READS and call.result == 0)
