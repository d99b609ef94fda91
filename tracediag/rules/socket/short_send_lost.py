"""TD207: a short send whose remaining bytes are never sent."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.exits import manner
from tracediag.evidence.partial_writes import Partial, abandoned, elsewhere, looks_complete, taken_in_part
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_release, on_traffic
from tracediag.rules.socket._names import toward
from tracediag.trace.events import Event, Syscall
from tracediag.trace.quantities import count, plural
from tracediag.trace.records import Exit
from tracediag.trace.values import names_of

_SENDS = ("write", "writev", "send", "sendto", "sendmsg")
_CLOSES = frozenset({"close", "dup2", "dup3", "close_range", "execve", "execveat"})


class ShortSendLost(Rule):
    """A send on a stream returns less than its size, and the rest never follows."""

    code = "TD207"
    name = "short-send-lost"
    severity = Severity.ERROR
    summary = "a send is short, and the program never sends the remaining bytes"
    rests_on_failures = True

    def __init__(self) -> None:
        self._short: Cases[OpenFile, Partial] = Cases()

    @on_traffic(*_SENDS)
    def sent(self, action: Action) -> Iterator[Finding] | None:
        """Compare the result with the size, and the next send with the remaining bytes."""
        descriptor = action.descriptor
        return None if descriptor is None or descriptor.file.socket is None else self._sent(action, descriptor)

    def _sent(self, action: Action, descriptor: Descriptor) -> Iterator[Finding]:
        call = action.call
        short = self._short.get(descriptor.file)
        if short is None:
            if not looks_complete(call):
                self._note(action, descriptor)
            return
        if call.result is None or call.result <= 0:
            short.retried = call
            return
        del self._short[descriptor.file]
        confidence = elsewhere(short, call)
        if confidence is not None:
            yield self._finding(descriptor, short, call, confidence)
        if not looks_complete(call):
            self._note(action, descriptor)

    def _note(self, action: Action, descriptor: Descriptor) -> None:
        """Remember a short send."""
        socket = descriptor.file.socket
        if socket is None or socket.stream is False:
            return
        short = taken_in_part(action, descriptor.file)
        if short is not None:
            self._short[descriptor.file] = short

    @on_call("epoll_ctl")
    def watched(self, action: Action) -> None:
        """The program waits for room to send the rest."""
        entry = action.registration
        short = None if entry is None else self._short.get(entry.file)
        if entry is not None and isinstance(short, Partial) and "EPOLLOUT" in (entry.events or ()):
            short.waits_for_room = True

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """The connection is closed with the rest unsent."""
        for descriptor in action.released:
            short = self._short.get(descriptor.file)
            if short is not None and not descriptor.file.holders and not _excused(descriptor, short, action.event):
                del self._short[descriptor.file]
                seen = isinstance(action.event, Exit) or _is_close(action.event)
                yield self._finding(descriptor, short, action.event, Confidence.CERTAIN if seen else Confidence.LIKELY)

    def _finding(self, descriptor: Descriptor, short: Partial, after: Event, confidence: Confidence) -> Finding:
        number = descriptor.number
        guess = confidence is Confidence.POSSIBLE
        taken = short.call.result or 0
        title = f"short send: only {count(taken)} of {plural(short.size, 'byte')} were sent {toward(descriptor)}"
        return self.finding(
            _story(descriptor, short, after),
            object=describe(descriptor),
            title=f"{title}; the rest was dropped if the next block is new data"
            if guess
            else f"{title} and the rest was dropped",
            severity=Severity.WARNING if guess else Severity.ERROR,
            confidence=confidence,
            absent=[no(f"send of the remaining {plural(short.rest, 'byte')} on fd {number}", short.call, after)],
            why="a send on a non-blocking stream socket, or one that a signal or timeout interrupts, copies what fits"
            " in the send buffer and returns that count: send(2), write(2)",
            fix=f"send on fd {number} in a loop, advancing past the bytes already sent; on EAGAIN wait for POLLOUT, and"
            " close only when all is sent",
        )


def _is_close(event: Event) -> bool:
    """Whether a call closes what it releases, rather than showing a close outside the trace."""
    return isinstance(event, Syscall) and event.name in _CLOSES


def _excused(descriptor: Descriptor, short: Partial, event: Event) -> bool:
    """Whether the rest could not be sent, or was dropped on purpose: a lost peer, a timeout, death by signal."""
    socket = descriptor.file.socket
    if socket is None or socket.broken is not None or socket.hung_up is not None or socket.ended is not None:
        return True
    if "SO_LINGER" in socket.options or descriptor.file.sent is not None:
        return True
    return abandoned(short, event)


def _what_then(number: int, after: Syscall) -> str:
    """Say what the call shows that came instead of the rest."""
    if _is_close(after) or "SHUT_WR" in names_of(after.arg(1)):
        return f"fd {number} is closed"
    if after.name in _SENDS:
        return "the next send starts with new data, not the rest"
    return f"the number is in use for a new descriptor: fd {number} was closed"


def _story(descriptor: Descriptor, short: Partial, after: Event) -> Iterator[Step]:
    number = descriptor.number
    yield from birth(descriptor)
    taken = f"the kernel takes {count(short.call.result or 0)} of {count(short.size)} bytes"
    yield step(short.call, f"{taken}; {count(short.rest)} are left to send", primary=True)
    if short.retried is not None:
        yield step(short.retried, "another attempt: the kernel takes nothing")
    if isinstance(after, Syscall):
        yield step(after, _what_then(number, after))
    elif isinstance(after, Exit):
        yield step(after, f"the process {manner(after)}, which closes fd {number}")
