"""TD404: "not yet" taken for a failure."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.complaints import names_error, said_after
from tracediag.evidence.steps import birth, is_excerpt
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_exit, on_trace_end
from tracediag.trace.calls import READS, WRITES
from tracediag.trace.events import Exit, Syscall

_TRANSFERS = READS | WRITES | {"accept", "accept4", "splice", "sendfile", "pread64", "pwrite64"}
_EAGAIN = ("EAGAIN", "EWOULDBLOCK")
_SOON = 60
"""Lines from the call to the message that speaks of it: the C library looks for message catalogues between."""
_CLOSED_SOON = 20


class EagainTreatedAsError(Rule):
    """A read or write on a non-blocking descriptor gives EAGAIN; the program says so as of an error and gives up."""

    code = "TD404"
    name = "eagain-treated-as-error"
    severity = Severity.ERROR
    summary = "EAGAIN of a non-blocking descriptor is reported as an error, and the work is given up"

    @on_exit
    def exited(self, action: Action) -> Iterator[Finding]:
        """Look back from the end of a process: nothing need be remembered on the way."""
        process = action.process
        if process.exit is not None and process.failures and process.messages:
            yield from self._judged(process, {descriptor.number: descriptor for descriptor in action.released}, False)

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Look back from the end of the trace, for those that live on."""
        for process in kernel.processes:
            if process.exit is None and process.failures and process.messages:
                yield from self._judged(process, {}, is_excerpt(kernel))

    def _judged(self, process: Process, released: dict[int, Descriptor], excerpt: bool) -> Iterator[Finding]:
        pair = _complaint(process)
        if pair is None:
            return
        call, message = pair
        descriptor = _subject(process, released, call)
        if descriptor is not None and _timed(descriptor, call):
            return
        end = process.end
        status = process.status
        bad = bool(status) or (isinstance(end, Exit) and end.signal is not None)
        closed = None if descriptor is None else _closed(descriptor, message)
        if bad:
            yield self._finding(descriptor, call, message, end, Severity.ERROR)
        elif closed is not None or excerpt:
            yield self._finding(descriptor, call, message, closed, Severity.WARNING)

    def _finding(
        self,
        descriptor: Descriptor | None,
        call: Syscall,
        message: Syscall,
        after: Exit | Syscall | None,
        severity: Severity,
    ) -> Finding:
        number = call.number(0)
        event = "POLLIN" if call.name in READS or call.name.startswith(("accept", "pread")) else "POLLOUT"
        given_up = "the process gives up" if after is not None else "is reported as an error"
        return self.finding(
            _story(descriptor, call, message, after),
            object=f"fd {number}" if descriptor is None else describe(descriptor),
            title=f"{call.name} on fd {number} says not yet (EAGAIN), and {given_up}",
            severity=severity,
            confidence=Confidence.CERTAIN if _non_blocking(descriptor, call) else Confidence.LIKELY,
            why="EAGAIN on a non-blocking descriptor is no failure: nothing can be moved now, and will be later; the"
            " flag belongs to the open file description, so another process that shares it may have set it: open(2),"
            " fcntl(2)",
            fix=f"on EAGAIN wait for {event} on fd {number} with poll, and call {call.name} again; or clear O_NONBLOCK"
            " with fcntl before the first use",
            explains=[("failed-call-behind-exit", call.line)],
        )


def _complaint(process: Process) -> tuple[Syscall, Syscall] | None:
    """Return the transfer that gave EAGAIN and the message on fd 2 that says so, the latest of them."""
    waiting = [call for call in process.failures if call.errno in _EAGAIN and call.name != "futex"]
    if not waiting:
        return None
    for message in reversed(process.messages):
        before = [call for call in waiting if call.line < message.line]
        # The last of all calls that gave it is the one meant: fork, flock and mlock have another reason for it.
        call = before[-1] if before else None
        if call is None or call.name not in _TRANSFERS or message.line - call.line > _SOON:
            continue
        if names_error(said_after([message]), "EAGAIN") is not None:
            return call, message
    return None


def _subject(process: Process, released: dict[int, Descriptor], call: Syscall) -> Descriptor | None:
    """Return the incarnation that the call was made on, if it can still be told."""
    number = call.number(0)
    if number is None:
        return None
    for found in (process.table.last_closed.get(number), released.get(number), process.table.get(number)):
        if found is None or (found.opened is not None and found.opened.line > call.line):
            continue
        if found.closed is None or found.closed.line > call.line:
            return found
    return None


def _timed(descriptor: Descriptor, call: Syscall) -> bool:
    """Whether EAGAIN was the end of a time-out of a blocking socket: socket(7)."""
    socket = descriptor.file.socket
    if socket is None or "MSG_DONTWAIT" in call.body:
        return False
    limited = "SO_RCVTIMEO" in socket.options or "SO_SNDTIMEO" in socket.options
    return limited or descriptor.file.flags.has("O_NONBLOCK") is False


def _non_blocking(descriptor: Descriptor | None, call: Syscall) -> bool:
    if "MSG_DONTWAIT" in call.body:
        return True
    return descriptor is not None and descriptor.file.flags.has("O_NONBLOCK") is True


def _closed(descriptor: Descriptor, message: Syscall) -> Syscall | None:
    """Return the close that follows the message soon."""
    closed = descriptor.closed
    if isinstance(closed, Syscall) and 0 < closed.line - message.line <= _CLOSED_SOON:
        return closed
    return None


def _story(
    descriptor: Descriptor | None, call: Syscall, message: Syscall, after: Exit | Syscall | None
) -> Iterator[Step]:
    number = call.number(0)
    if descriptor is not None:
        yield from birth(descriptor)
    yield step(call, f"fd {number} is not ready yet: no failure", primary=True)
    yield step(message, "the program reports it as an error")
    if isinstance(after, Syscall) and after.name != "exit_group":
        yield step(after, f"fd {number} is closed, and what comes on it later is lost")
    elif after is not None:
        yield step(after, "the process ends badly, where it only had to wait")
