"""TD212: one datagram sent again and again, without an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracediag.evidence.bounds import KEPT
from tracediag.evidence.dns import looks_like_query
from tracediag.evidence.exits import severity_by_end
from tracediag.evidence.runs import ATTEMPTS, Run, confidence
from tracediag.evidence.steps import birth, no
from tracediag.evidence.waiters import waited_for
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.socket import Socket, format_address
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import on_call, on_release, on_traffic
from tracediag.rules.loop import LoopRule
from tracediag.trace.calls import READS, WAITS
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.quantities import count, size
from tracediag.trace.values import Symbol, bare

_SENDS = ("send", "sendto", "sendmsg", "write")
_ADDRESSED = 6
"""Arguments of a sendto, the fifth of which is the address."""
_TO_MANY = lazy_pattern(r'"(?:22[4-9]|23\d|255)\.[0-9.]+"|"ff[0-9a-f]{2}:|\.255"\)|->(?:22[4-9]|23\d|255)\.')
"""Multicast and broadcast addresses: announcements, which want no answer."""
_ETHERNET = 1472
"""Bytes of a UDP datagram that fit into one Ethernet frame."""


class _Series(Run, kw_only=True):
    """Equal datagrams on one socket, with nothing received between them."""

    process: Process
    descriptor: Descriptor
    wait: Syscall | None = None
    """A wait for an answer that timed out, or a read that found nothing."""
    alone: bool = True
    """Whether no other call is between them: a trace of the sends only."""


class DatagramResentUnanswered(LoopRule[_Series]):
    """The same datagram three times or more, and no reply."""

    code = "TD212"
    name = "datagram-resent-unanswered"
    severity = Severity.WARNING
    bounds = ATTEMPTS
    kept = KEPT
    summary = "the same datagram is sent again and again without an answer"
    rests_on_successes = True

    @on_traffic(*_SENDS)
    def sent(self, action: Action) -> Iterable[Finding] | None:
        """Compare a datagram with the one before: strace prints equal ones alike."""
        descriptor, call = action.descriptor, action.call
        if descriptor is None or (socket := descriptor.file.socket) is None or call.failed:
            return None
        series = self.run(descriptor.file)
        if series is not None and series.last.body == call.body:
            series.alone = series.alone and _adjacent(series.last, call)
            series.add(call)
            return None
        found = None if series is None else self.over(call, descriptor.file)
        if _datagram(socket, call):
            self.begin(_Series(call, call, process=action.process, descriptor=descriptor), descriptor.file)
        return found

    @on_traffic(*READS, given="_runs")
    def received(self, action: Action) -> Iterable[Finding] | None:
        """An answer arrives; a read that finds nothing shows that an answer is expected."""
        descriptor = action.descriptor
        if descriptor is None or (series := self.run(descriptor.file)) is None:
            return None
        if action.call.errno in ("EAGAIN", "EWOULDBLOCK"):
            series.wait = series.wait or action.call
        elif action.call.returned and not action.call.interrupted:
            return self.over(action.event, descriptor.file)
        return None

    @on_call(*WAITS)
    def waited(self, action: Action) -> None:
        """A wait that times out shows that an answer is expected."""
        if not self._runs or action.call.result != 0:
            return
        numbers = waited_for(action.call)
        for _, _, series in self.runs():
            descriptor = series.descriptor
            mine = bool(descriptor.file.registrations) if numbers is None else descriptor.number in numbers
            if series.wait is None and series.process.current is action.process and mine:
                series.wait = action.call

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """The socket is closed: judge its datagrams."""
        for descriptor in action.released if self._runs else ():
            if not descriptor.file.holders:
                yield from self.over(action.event, descriptor.file)

    def sure(self, run: _Series) -> Confidence | None:
        """Say how sure it is that the sender expects an answer: it looks for one, or the trace holds only its sends."""
        if run.faster(self.bounds.fast):
            return None
        sure = confidence(run, self.bounds, excerpt=0 if run.wait is None else self._excerpt)
        if run.wait is None:
            return Confidence.POSSIBLE if sure is not None and run.alone else None
        return sure

    def tell(self, run: _Series, sure: Confidence) -> Finding:
        """Make the finding."""
        socket, sent = run.descriptor.file.socket, run.first.result or 0
        peer = (format_address(run.first.arg(4)) if run.first.name == "sendto" else None) or (
            socket.peer if socket is not None else None
        )
        title = f"the same datagram of {size(sent)} is sent {count(run.times)} times to {peer or 'one peer'}: no answer"
        if sure is Confidence.POSSIBLE:
            title += ", if the program expects one"
        big = ""
        if sent > _ETHERNET:
            big = f"; {size(sent)} exceed one Ethernet frame: compare the MTU of both ends (ping -M do -s {sent})"
        return self.finding(
            _story(run),
            object=describe(run.descriptor),
            title=title,
            severity=Severity.WARNING if run.wait is None else severity_by_end(run.process),
            confidence=sure,
            absent=[no(f"data received on fd {run.descriptor.number}", run.first, run.last)],
            why=f"success from {run.first.name} only means that the local kernel accepted the datagram; the sender gets"
            " no error if a router or filter drops it or the receiver never reads it: udp(7), send(2)",
            fix=f"run tcpdump at both ends to see how far the datagram gets, then check that {peer or 'the peer'} reads"
            f" its socket (ss -uln: Recv-Q){big}",
        )


def _adjacent(before: Syscall, call: Syscall) -> bool:
    return call.line - max(before.line, before.end_line) <= 1


def _datagram(socket: Socket, call: Syscall) -> bool:
    """Whether a send is a datagram to one peer over the network; DNS has its own rule."""
    if socket.family not in (None, "AF_INET", "AF_INET6", "PF_INET", "PF_INET6") or call.has("sun_path"):
        return False
    if socket.protocol is not None and not socket.protocol.startswith("UDP"):
        return False
    addressed = call.name == "sendto" and len(call.args) >= _ADDRESSED and bare(call.arg(4)) != Symbol("NULL")
    known = socket.stream is False and socket.type in (None, "SOCK_DGRAM")
    return (
        (known or (socket.stream is None and addressed)) and not _TO_MANY.search(call.body) and not _dns(socket, call)
    )


def _dns(socket: Socket, call: Syscall) -> bool:
    return looks_like_query(call) or call.has("htons(53)") or (socket.peer or "").endswith(":53")


def _story(series: _Series) -> Iterator[Step]:
    yield from birth(series.descriptor)
    yield step(series.first, f"a datagram is sent on fd {series.descriptor.number}", primary=True)
    if series.wait is not None:
        yield step(series.wait, "no answer has arrived")
    yield from series.again("the same datagram again")
