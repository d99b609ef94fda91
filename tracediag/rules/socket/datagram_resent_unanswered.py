"""TD212: one datagram sent again and again, to which nothing comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tracediag.evidence.bounds import KEPT
from tracediag.evidence.dns import looks_like_query
from tracediag.evidence.exits import severity_by_end
from tracediag.evidence.steps import birth, no, repeated
from tracediag.evidence.waiters import WAITS, waited_for
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.socket import Socket, format_address
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_release, on_trace_end, on_traffic
from tracediag.trace.calls import READS
from tracediag.trace.events import Syscall

_SENDS = ("send", "sendto", "sendmsg", "write")
_ADDRESSED = 6
"""Arguments of a sendto, the fifth of which is where to."""
_WORTH_A_WORD = 3
_PASTED = 2
"""How many are enough in an excerpt, with a wait for an answer."""
_SURE = 5
_TIMER = 0.02
"""Seconds between two sends below which they are a burst and no attempts of one request."""
_TO_MANY = re.compile(r'"(?:22[4-9]|23\d|255)\.[0-9.]+"|"ff[0-9a-f]{2}:|\.255"\)|->(?:22[4-9]|23\d|255)\.')
"""Multicast and broadcast addresses: announcements, to which nobody need answer."""
_ETHERNET = 1472
"""Bytes of a UDP datagram that fit into one Ethernet frame."""


@dataclass(slots=True)
class _Series:
    """Equal datagrams on one socket, with nothing received between them."""

    process: Process
    descriptor: Descriptor
    first: Syscall
    last: Syscall
    second: Syscall | None = None
    times: int = 1
    wait: Syscall | None = None
    """A wait for an answer that came back with nothing, or a read that found nothing."""
    alone: bool = True
    """Whether no other call stands between them: a trace of the sends only."""


class DatagramResentUnanswered(Rule):
    """The same datagram three times or more, and no reply."""

    code = "TD212"
    name = "datagram-resent-unanswered"
    severity = Severity.WARNING
    summary = "the same datagram is sent again and again, and nothing comes back"

    def __init__(self) -> None:
        self._series: dict[int, _Series] = {}

    @on_traffic(*_SENDS)
    def sent(self, action: Action) -> Iterator[Finding]:
        """Compare a datagram with the one before: strace prints equal ones alike."""
        descriptor, call = action.descriptor, action.call
        if descriptor is None or (socket := descriptor.file.socket) is None or call.failed:
            return
        series = self._series.get(id(descriptor.file))
        if series is not None and series.last.body == call.body:
            series.alone = series.alone and _adjacent(series.last, call)
            series.times += 1
            series.second = series.second or call
            series.last = call
            return
        yield from self._over(self._series.pop(id(descriptor.file), None))
        if _datagram(socket, call) and len(self._series) < KEPT:
            descriptor.memory[self.name] = True
            self._series[id(descriptor.file)] = _Series(action.process, descriptor, call, call)

    @on_traffic(*READS)
    def received(self, action: Action) -> Iterator[Finding]:
        """Something comes back; a read that finds nothing shows that an answer is expected."""
        descriptor = action.descriptor
        if not self._series or descriptor is None or (series := self._series.get(id(descriptor.file))) is None:
            return
        if action.call.errno in ("EAGAIN", "EWOULDBLOCK"):
            series.wait = series.wait or action.call
        elif action.call.returned and not action.call.interrupted:
            yield from self._over(self._series.pop(id(descriptor.file)))

    @on_call(*WAITS)
    def waited(self, action: Action) -> None:
        """A wait that comes back with nothing shows that an answer is expected."""
        if not self._series or action.call.result != 0:
            return
        numbers = waited_for(action.call)
        for series in self._series.values():
            descriptor = series.descriptor
            mine = bool(descriptor.file.registrations) if numbers is None else descriptor.number in numbers
            if series.wait is None and series.process is action.process and mine:
                series.wait = action.call

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """The socket is closed: all is known of it."""
        for descriptor in action.released:
            if not descriptor.file.holders:
                yield from self._over(self._series.pop(id(descriptor.file), None))

    @on_trace_end
    def ended(self, _: Kernel) -> Iterator[Finding]:
        """What is still open at the end of the trace."""
        excerpt = self.scope.is_excerpt
        for series in self._series.values():
            yield from self._over(series, excerpt=excerpt)

    def _over(self, series: _Series | None, *, excerpt: bool = False) -> Iterator[Finding]:
        # A sender that never looks for an answer wants none; unless the trace shows its sends only, and no looking.
        if series is None or series.times < (_PASTED if excerpt and series.wait else _WORTH_A_WORD) or _burst(series):
            return
        if series.wait is not None:
            few = Confidence.POSSIBLE if series.times < _WORTH_A_WORD else Confidence.LIKELY
            yield self._finding(series, Confidence.CERTAIN if series.times >= _SURE else few)
        elif series.alone:
            yield self._finding(series, Confidence.POSSIBLE)

    def _finding(self, series: _Series, confidence: Confidence) -> Finding:
        socket, size = series.descriptor.file.socket, series.first.result or 0
        peer = (format_address(series.first.arg(4)) if series.first.name == "sendto" else None) or (
            socket.peer if socket is not None else None
        )
        what = f"the same datagram of {size} bytes is sent {series.times} times"
        title = f"{what}, and no answer comes"
        if confidence is Confidence.POSSIBLE:
            title = f"{what}: if it wants an answer, none comes"
        big = ""
        if size > _ETHERNET:
            big = (
                f"; {size} bytes do not fit into an Ethernet frame: compare the MTU of both ends (ping -M do -s {size})"
            )
        return self.finding(
            _story(series),
            object=describe(series.descriptor),
            title=title,
            severity=Severity.WARNING if series.wait is None else severity_by_end(series.process),
            confidence=confidence,
            absent=[no(f"data received on fd {series.descriptor.number}", series.first, series.last)],
            why="a datagram that is lost on the way, dropped by a filter or left unread at the other end gets no error;"
            " a result of sendto only says that the own kernel has taken it: udp(7), send(2)",
            fix=f"find out how far it gets: tcpdump at both ends, then whether {peer or 'the peer'} reads its socket"
            f" (ss -uln: Recv-Q){big}",
        )


def _adjacent(before: Syscall, call: Syscall) -> bool:
    return call.line - max(before.line, before.end_line) <= 1


def _burst(series: _Series) -> bool:
    """Whether they follow each other too fast for attempts; False where the trace has no times."""
    if series.first.time is None or series.last.time is None:
        return False
    return (series.last.time - series.first.time) / (series.times - 1) < _TIMER


def _datagram(socket: Socket, call: Syscall) -> bool:
    """Whether it is a datagram to one peer over the network, DNS apart, which has a rule of its own."""
    if socket.family not in (None, "AF_INET", "AF_INET6", "PF_INET", "PF_INET6") or "sun_path=" in call.body:
        return False
    if socket.protocol is not None and not socket.protocol.startswith("UDP"):
        return False
    addressed = call.name == "sendto" and len(call.args) >= _ADDRESSED and not call.body.endswith("NULL, 0")
    known = socket.stream is False and socket.type in (None, "SOCK_DGRAM")
    return (
        (known or (socket.stream is None and addressed)) and not _TO_MANY.search(call.body) and not _dns(socket, call)
    )


def _dns(socket: Socket, call: Syscall) -> bool:
    return looks_like_query(call) or "htons(53)" in call.body or (socket.peer or "").endswith(":53")


def _story(series: _Series) -> Iterator[Step]:
    yield from birth(series.descriptor)
    yield step(series.first, f"a datagram goes out on fd {series.descriptor.number}", primary=True)
    if series.wait is not None:
        yield step(series.wait, "no answer has come")
    if series.second is not None:
        yield repeated(series.second, "the very same once more", series.times - 1, series.last.line)
