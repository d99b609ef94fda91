"""TD208: a message in two small writes, delayed by Nagle's algorithm and delayed acknowledgements."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.bounds import KEPT
from tracediag.evidence.cases import Cases
from tracediag.evidence.runs import LOOP
from tracediag.evidence.scope import Fact
from tracediag.evidence.steps import birth, repeated
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.socket import Socket
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_release, on_trace_end, on_traffic
from tracediag.rules.socket._names import toward
from tracediag.trace.calls import READS, WRITES
from tracediag.trace.events import Syscall
from tracediag.trace.values import names_of, number_of

_SENDS = ("write", "writev", "send", "sendto", "sendmsg")
_SMALL = 1400
"""Bytes that fit into one TCP segment on an Ethernet."""
_DELAYS = ((0.036, 0.060), (0.195, 0.225))
"""Seconds by which an acknowledgement is delayed: TCP_DELACK_MIN of Linux and that of others, with some slack."""
_OFF = frozenset({"TCP_NODELAY", "TCP_CORK"})


class _Connection(msgspec.Struct):
    """One connection: the small writes since the last read, and the exchanges that took as long as a delayed ACK."""

    descriptor: Descriptor
    small: list[Syscall] = msgspec.field(default_factory=list)
    """At most two."""
    exchanges: int = 0
    """Two small writes, then a read that brought data."""
    example: tuple[Syscall, Syscall, Syscall] | None = None
    delayed: int = 0
    late: tuple[Syscall, Syscall, Syscall] | None = None
    late_end: Syscall | None = None


class SmallWritesDelayed(Rule):
    """write, write, read on TCP without TCP_NODELAY, and an answer that comes 40 ms or 200 ms later."""

    code = "TD208"
    name = "small-writes-delayed"
    severity = Severity.WARNING
    summary = "a message in two small writes on TCP waits for a delayed acknowledgement, 40 ms each time"
    needs = (Fact.TIMES,)
    raised_by = (WRITES, ("accept", "accept4"))

    def __init__(self) -> None:
        self._connections: Cases[OpenFile, _Connection] = Cases()

    @on_traffic(*_SENDS)
    def sent(self, action: Action) -> None:
        """Note small writes that follow each other without a read."""
        descriptor, call = action.descriptor, action.call
        if descriptor is None or descriptor.file.socket is None or call.result is None or call.result <= 0:
            return
        known = self._connections.get(descriptor.file)
        if known is None:
            if not _nagled(descriptor.file.socket) or len(self._connections) >= KEPT:
                return
            known = self._connections[descriptor.file] = _Connection(descriptor)
        if call.result > _SMALL or call.has("MSG_MORE"):
            known.small.clear()
        elif len(known.small) < 2:
            known.small.append(call)
        else:
            known.small[1] = call

    @on_traffic(*READS, given="_connections")
    def received(self, action: Action) -> None:
        """Measure how long the answer took after the last of the small writes."""
        descriptor, call = action.descriptor, action.call
        if descriptor is None or (known := self._connections.get(descriptor.file)) is None:
            return
        if call.failed:
            return
        if len(known.small) == 2 and call.result:
            exchange = (known.small[0], known.small[1], call)
            known.exchanges += 1
            known.example = known.example or exchange
            if _delayed(*exchange):
                known.delayed += 1
                known.late = known.late or exchange
                known.late_end = call
        known.small.clear()

    @on_call("setsockopt")
    def tuned(self, action: Action) -> Iterator[Finding]:
        """TCP_NODELAY or TCP_CORK turns Nagle's algorithm off."""
        if self._connections and action.descriptor is not None and names_of(action.call.arg(2)) & _OFF:
            yield from self._settle(self._connections.pop(action.descriptor.file, None))

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """The connection is closed: judge its exchanges."""
        for descriptor in action.released:
            if not descriptor.file.holders:
                yield from self._settle(self._connections.pop(descriptor.file, None))

    @on_trace_end
    def ended(self, _: Kernel) -> Iterator[Finding]:
        """Judge what is still open at the end of the trace."""
        excerpt = self.scope.excerpt
        for known in self._connections.values():
            yield from self._settle(known, excerpt=excerpt)

    def _settle(self, known: _Connection | None, *, excerpt: int = 0) -> Iterator[Finding]:
        if known is None:
            return
        # A few slow answers among many quick ones come from a slow server.
        mostly = known.delayed * 2 >= known.exchanges
        sure = LOOP.confidence(known.delayed, excerpt=excerpt)
        if known.late is not None and mostly and sure is not None:
            yield self._finding(known, known.late, sure)
        elif known.example is not None and known.example[0].time is None and known.exchanges >= LOOP.sure:
            yield self._finding(known, known.example, Confidence.POSSIBLE)

    def _finding(
        self, known: _Connection, exchange: tuple[Syscall, Syscall, Syscall], confidence: Confidence
    ) -> Finding:
        number = known.descriptor.number
        timed = known.late is not None
        where = toward(known.descriptor)
        title = LOOP.title(
            known.delayed, f"each message {where} is sent in two small writes and waits for a delayed acknowledgement"
        )
        if not timed:
            title = f"messages {where} are sent in two small writes: each may wait 40 ms for a delayed acknowledgement"
        return self.finding(
            _story(known, exchange),
            object=describe(known.descriptor),
            title=title,
            severity=Severity.WARNING if timed else Severity.NOTE,
            confidence=confidence,
            why="TCP holds back a small segment while another is unacknowledged (Nagle's algorithm), and the receiver"
            " of half a message delays the acknowledgement by 40 ms or more: tcp(7), TCP_NODELAY; RFC 1122 4.2.3.2 and"
            " 4.2.3.4",
            fix=f"send each message on fd {number} with one writev or sendmsg, pass MSG_MORE with the first part, or"
            " set TCP_NODELAY",
        )


def _nagled(socket: Socket) -> bool:
    """Whether a socket is a TCP connection on which the program has not turned Nagle's algorithm off."""
    if socket.protocol is not None:
        tcp = socket.protocol.startswith("TCP")
    else:
        tcp = socket.family in ("AF_INET", "AF_INET6", "PF_INET", "PF_INET6") and socket.stream is True
    return tcp and all(number_of(socket.options[name]) == 0 for name in _OFF & socket.options.keys())


def _delayed(first: Syscall, second: Syscall, answer: Syscall) -> bool:
    """Whether the answer took as long after the second write as a delayed acknowledgement."""
    if answer.time is None or second.time is None or first.time is None:
        return False
    came = answer.end_time if answer.end_time is not None else answer.time + (answer.duration or 0)
    taken = came - second.time
    return any(low <= taken <= high for low, high in _DELAYS)


def _story(known: _Connection, exchange: tuple[Syscall, Syscall, Syscall]) -> Iterator[Step]:
    first, second, answer = exchange
    number = known.descriptor.number
    yield from birth(known.descriptor)
    yield step(first, f"the first part is sent immediately on fd {number}")
    yield step(second, "the second part is held back until the first is acknowledged", primary=True)
    if known.late is not None and known.late_end is not None:
        note = "the answer arrives only after the delayed acknowledgement"
        yield repeated(answer, note, known.delayed, known.late_end.line)
    else:
        yield step(answer, "the answer")
