"""TD404: EAGAIN treated as fatal."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.complaints import Complaint, report_step
from tracediag.evidence.exits import end_step
from tracediag.evidence.steps import birth
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_process_end
from tracediag.trace.calls import ACCEPTS, FUTEXES, POSITIONED_READS, POSITIONED_WRITES, READS, SENDFILES, WRITES
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit, Message

_INPUTS = READS | POSITIONED_READS | ACCEPTS
_TRANSFERS = _INPUTS | WRITES | POSITIONED_WRITES | SENDFILES | {"splice"}
_EAGAIN = ("EAGAIN", "EWOULDBLOCK")
_SOON = 60
"""Lines from the call to the message about it: the C library looks for message catalogues in between."""
_NEXT = 8
"""Likewise, to a message of which strace shows no text."""
_CLOSED_SOON = 20


class EagainTreatedAsError(Rule):
    """A read or write on a non-blocking descriptor fails with EAGAIN; the program reports an error and stops."""

    code = "TD404"
    name = "eagain-treated-as-error"
    severity = Severity.ERROR
    summary = "EAGAIN from a non-blocking descriptor is treated as fatal"

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Look back from the end of a process: no state is kept on the way."""
        pair = _complaint(end.process)
        if pair is None:
            return
        call, message = pair
        descriptor = _subject(end, call)
        if descriptor is not None and _timed(descriptor, call):
            return
        closed = None if descriptor is None else _closed(descriptor, message)
        if end.process.ended_badly:
            yield self._finding(descriptor, call, message, end.event, Severity.ERROR)
        elif closed is not None or self.scope.is_excerpt:
            yield self._finding(descriptor, call, message, closed, Severity.WARNING)

    def _finding(
        self,
        descriptor: Descriptor | None,
        call: Syscall,
        message: Message,
        after: Exit | Syscall | None,
        severity: Severity,
    ) -> Finding:
        number = call.number(0)
        event = "POLLIN" if call.name in _INPUTS else "POLLOUT"
        outcome = "treated as fatal" if after is not None else "reported as an error"
        where = f"fd {number}" if descriptor is None else name(descriptor)
        return self.finding(
            _story(descriptor, call, message, after),
            object=f"fd {number}" if descriptor is None else describe(descriptor),
            title=f"EAGAIN from {call.name} on {where} is {outcome}",
            severity=severity,
            confidence=Confidence.CERTAIN
            if _non_blocking(descriptor, call) and _is_named(message)
            else Confidence.LIKELY,
            why="EAGAIN means not ready yet, not a failure; O_NONBLOCK belongs to the open file description, so another"
            " process that shares the description may have set the flag: open(2), fcntl(2)",
            fix=f"on EAGAIN, wait for {event} on fd {number} with poll and call {call.name} again; or clear O_NONBLOCK"
            f" on fd {number} with fcntl(F_SETFL) before the first use",
            explains=[("failed-call-behind-exit", call.line)],
        )


def _complaint(process: Process) -> tuple[Syscall, Message] | None:
    """Return the latest pair of a transfer that failed with EAGAIN and the message on fd 2 that names the error."""
    failures = process.failures if process.messages else ()
    waiting = [call for call in failures if call.errno in _EAGAIN and call.name not in FUTEXES]
    if not waiting:
        return None
    for message in reversed(process.messages):
        before = [call for call in waiting if call.line < message.line]
        # The message is about the last call that failed so; for fork, flock and mlock, EAGAIN means something else.
        call = before[-1] if before else None
        if call is None or call.name not in _TRANSFERS or message.line - call.line > _SOON:
            continue
        if _is_named(message) or (_is_withheld(message) and _is_next(process, call, message)):
            return call, message
    return None


def _is_named(message: Message) -> bool:
    return Complaint((message,)).names_error("EAGAIN") is not None


def _is_withheld(message: Message) -> bool:
    return Complaint((message,)).withheld is not None


def _is_next(process: Process, call: Syscall, message: Message) -> bool:
    """Whether a message follows directly and ends the process, so that it reports the call, whatever it says."""
    between = any(call.line < other.line < message.line for other in process.failures)
    return process.ended_badly and message.line - (call.end_line or call.line) <= _NEXT and not between


def _subject(end: ProcessEnd, call: Syscall) -> Descriptor | None:
    """Return the incarnation that the call was made on, if it is still known."""
    number, table = call.number(0), end.process.table
    if number is None:
        return None
    held = next((descriptor for descriptor in end.held if descriptor.number == number), None)
    for found in (table.last_closed.get(number), held, table.get(number)):
        if found is None or (found.opened is not None and found.opened.line > call.line):
            continue
        if found.closed is None or found.closed.line > call.line:
            return found
    return None


def _timed(descriptor: Descriptor, call: Syscall) -> bool:
    """Whether EAGAIN reported the timeout of a blocking socket: socket(7)."""
    socket = descriptor.file.socket
    if socket is None or call.has("MSG_DONTWAIT"):
        return False
    limited = "SO_RCVTIMEO" in socket.options or "SO_SNDTIMEO" in socket.options
    return limited or descriptor.file.flags.has("O_NONBLOCK") is False


def _non_blocking(descriptor: Descriptor | None, call: Syscall) -> bool:
    if call.has("MSG_DONTWAIT"):
        return True
    return descriptor is not None and descriptor.file.flags.has("O_NONBLOCK") is True


def _closed(descriptor: Descriptor, message: Message) -> Syscall | None:
    """Return the close that follows soon after the message."""
    closed = descriptor.closed
    if isinstance(closed, Syscall) and 0 < closed.line - message.line <= _CLOSED_SOON:
        return closed
    return None


def _story(
    descriptor: Descriptor | None, call: Syscall, message: Message, after: Exit | Syscall | None
) -> Iterator[Step]:
    number = call.number(0)
    if descriptor is not None:
        yield from birth(descriptor)
    yield step(call, f"{call.name} fails with EAGAIN: fd {number} is not ready yet", primary=True)
    yield report_step(message, named=_is_named(message))
    if isinstance(after, Syscall) and after.name != "exit_group":
        yield step(after, f"fd {number} is closed: data that arrives later is lost")
    elif after is not None:
        yield end_step(after)
