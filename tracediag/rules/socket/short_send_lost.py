"""TD207: a send of which the kernel took only a part, and the rest is forgotten."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.partial_writes import Partial, elsewhere, given_up, looks_whole, taken_in_part
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_release, on_traffic
from tracediag.trace.events import Event, Exit, Syscall
from tracediag.trace.values import names_of

_SENDS = ("write", "writev", "send", "sendto", "sendmsg")
_CLOSES = frozenset({"close", "dup2", "dup3", "close_range", "execve", "execveat"})


class ShortSendLost(Rule):
    """A send takes less than was given on a stream, and the remainder never follows."""

    code = "TD207"
    name = "short-send-lost"
    severity = Severity.ERROR
    summary = "the kernel takes only a part of a send, and the rest is never sent"

    @on_traffic(*_SENDS)
    def sent(self, action: Action) -> Iterator[Finding]:
        """Compare what was taken with what was given, and what comes next with what was left."""
        descriptor, call = action.descriptor, action.call
        if descriptor is None or descriptor.file.socket is None:
            return
        short: Partial | None = descriptor.file.memory.get(self.name)
        if short is None:
            if not looks_whole(call):
                self._note(action, descriptor)
            return
        if call.result is None or call.result <= 0:
            short.retried = call
            return
        del descriptor.file.memory[self.name]
        confidence = elsewhere(short, call)
        if confidence is not None:
            yield self._finding(descriptor, short, call, confidence)
        if not looks_whole(call):
            self._note(action, descriptor)

    def _note(self, action: Action, descriptor: Descriptor) -> None:
        """Remember a send that took less than it was given."""
        socket = descriptor.file.socket
        if socket is None or socket.stream is False:
            return
        short = taken_in_part(action, descriptor.file)
        if short is not None:
            descriptor.file.memory[self.name] = short

    @on_call("epoll_ctl")
    def watched(self, action: Action) -> None:
        """The program waits for room to send the rest."""
        entry = action.registration
        short = None if entry is None else entry.file.memory.get(self.name)
        if entry is not None and isinstance(short, Partial) and "EPOLLOUT" in (entry.events or ()):
            short.waits_for_room = True

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """The connection is closed, the rest unsent."""
        for descriptor in action.released:
            short = descriptor.file.memory.get(self.name)
            if short is not None and not descriptor.file.holders and not _excused(descriptor, short, action.event):
                del descriptor.file.memory[self.name]
                seen = isinstance(action.event, Exit) or _is_close(action.event)
                yield self._finding(descriptor, short, action.event, Confidence.CERTAIN if seen else Confidence.LIKELY)

    def _finding(self, descriptor: Descriptor, short: Partial, after: Event, confidence: Confidence) -> Finding:
        number = descriptor.number
        guess = confidence is Confidence.POSSIBLE
        title = f"{short.rest} bytes of a send are lost: the kernel took {short.call.result} of {short.size}"
        return self.finding(
            _story(descriptor, short, after),
            object=describe(descriptor),
            title=f"if this block is a new one, {title}" if guess else title,
            severity=Severity.WARNING if guess else Severity.ERROR,
            confidence=confidence,
            absent=[no(f"send of the remaining {short.rest} bytes on fd {number}", short.call, after)],
            why="a send on a non-blocking stream, or one that a signal or a time-out breaks off, takes what fits into"
            " the send buffer and says how much that was; the rest is the program's to send: send(2), write(2)",
            fix=f"send on fd {number} in a loop: go on behind the bytes taken, wait for POLLOUT on EAGAIN, and close"
            " only when all is sent",
        )


def _is_close(event: Event) -> bool:
    """Whether a call closes what it releases, rather than showing that this was closed outside the trace."""
    return isinstance(event, Syscall) and event.name in _CLOSES


def _excused(descriptor: Descriptor, short: Partial, event: Event) -> bool:
    """Whether the rest could not be sent, or was given up on purpose: the peer gone, a time-out, a signal's death."""
    socket = descriptor.file.socket
    if socket is None or socket.broken is not None or socket.hung_up is not None or socket.ended is not None:
        return True
    if "SO_LINGER" in socket.options or descriptor.file.sent is not None:
        return True
    return given_up(short, event)


def _what_then(number: int, after: Syscall) -> str:
    """Say what the call shows that came instead of the rest."""
    if _is_close(after) or "SHUT_WR" in names_of(after.arg(1)):
        return f"fd {number} is closed"
    if after.name in _SENDS:
        return "the next send gives new data, not the rest"
    return f"the number is handed out again, so fd {number} has been closed"


def _story(descriptor: Descriptor, short: Partial, after: Event) -> Iterator[Step]:
    number = descriptor.number
    yield from birth(descriptor)
    taken = f"the kernel takes {short.call.result} of {short.size} bytes"
    yield step(short.call, f"{taken}; {short.rest} are left to send", primary=True)
    if short.retried is not None:
        yield step(short.retried, "one more attempt, of which nothing is taken")
    if isinstance(after, Syscall):
        yield step(after, _what_then(number, after))
    elif isinstance(after, Exit):
        yield step(after, f"the process ends, and fd {number} with it")
