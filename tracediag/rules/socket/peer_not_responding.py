"""TD210: a request that the peer never answers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import ClassVar

from tracediag.evidence.bounds import KEPT
from tracediag.evidence.cases import Cases
from tracediag.evidence.exits import manner
from tracediag.evidence.peers import Server, server_of
from tracediag.evidence.runs import ATTEMPTS, lengthened
from tracediag.evidence.steps import no
from tracediag.evidence.waiters import blocked_at, is_last, waited_for
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.socket import Socket
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end, on_release, on_trace_end, on_traffic
from tracediag.rules.socket._requests import (
    SENDS,
    Request,
    asks,
    goes_on,
    is_idle,
    is_impatient,
    is_look,
    is_served,
    question_to,
    seconds_since,
    statement_of,
    title_of,
    wait_of,
    waits_as_asked,
    waits_for,
)
from tracediag.trace.calls import READS, WAITS
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.records import Exit

_VERY_LONG = 5
"""How many times as long as `unanswered` a wait must last for the request to be lost."""
_UNIX = ("AF_UNIX", "AF_LOCAL", "PF_UNIX", "PF_FILE", "PF_LOCAL")


class PeerNotResponding(Rule):
    """A request, and no answer until a timeout, the end, or a series of empty waits."""

    code = "TD210"
    name = "peer-not-responding"
    severity = Severity.ERROR
    summary = "a request gets no answer: the peer is connected and does not respond"
    rests_on = READS
    unanswered: ClassVar[float] = 2.0
    """Seconds without an answer from which a wait that is still open at the end of the trace is reported."""

    def __init__(self) -> None:
        self._requests: Cases[OpenFile, Request] = Cases(outlive=True)

    def rests(self, finding: Finding) -> Collection[str]:
        """Return the calls whose absence matters: none where a wait or a read shows that nothing arrived."""
        waits = tuple(f"{name}(" for name in WAITS | READS)
        return () if any(step.text.startswith(waits) for step in finding.steps) else self.rests_on

    @on_traffic(*SENDS)
    def sent(self, action: Action) -> None:
        """Remember a request on a connection that this side made."""
        descriptor, call = action.descriptor, action.call
        if descriptor is None or (socket := descriptor.file.socket) is None:
            return
        key, pending = descriptor.file, self._requests.get(descriptor.file)
        if pending is not None and goes_on(pending, call):
            self._requests[key] = Request(action.process, descriptor, call, answered_before=True)
        if pending is not None or call.result is None or call.result <= 0 or len(self._requests) >= KEPT:
            return
        if asks(socket, call):
            self._requests[key] = Request(action.process, descriptor, call, socket.last_read is not None)

    @on_traffic(*READS, given="_requests")
    def received(self, action: Action) -> None:
        """Any data or error settles the request; a read that finds nothing does not."""
        if action.descriptor is None:
            return
        request = self._requests.get(action.descriptor.file)
        call = action.call
        if request is None or call.interrupted or not call.returned:
            return
        if call.errno not in ("EAGAIN", "EWOULDBLOCK"):
            del self._requests[action.descriptor.file]
        elif call.duration is not None and call.duration >= 0.1:
            _empty(request, call)  # SO_RCVTIMEO: socket(7)

    @on_call(*WAITS)
    def waited(self, action: Action) -> None:
        """A wait times out."""
        if not self._requests or action.call.result != 0 or is_look(action.call):
            return
        numbers = waited_for(action.call)
        for request in self._requests.values():
            if request.process.current is action.process and waits_for(request, numbers) is not None:
                _empty(request, action.call)

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """The connection is closed; without a wait before, the program wanted no answer."""
        event = action.event
        if not self._requests or not isinstance(event, Syscall):
            return
        for descriptor in action.released:
            request = self._requests.get(descriptor.file)
            if request is not None and not descriptor.file.holders:
                del self._requests[descriptor.file]
                if request.waits is not None and not is_impatient(request, event):
                    yield from self._findings(request, action.kernel, None, Confidence.CERTAIN)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """The process exits, or is killed while it waits."""
        if end.exit is None or not self._requests:
            return
        standing = blocked_at(end)
        for key, request in [item for item in self._requests.items() if item[1].process.current is end.process]:
            del self._requests[key]
            directly = None if standing is None else waits_for(request, waited_for(standing))
            if request.waits is not None or (directly and not is_idle(request, standing)):
                yield from self._findings(request, end.kernel, standing if directly else None, Confidence.CERTAIN)

    @on_trace_end
    def over(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge the requests that are still open at the end of the trace."""
        if self.scope.is_excerpt and not self._requests:
            yield from self._pasted(kernel)
        for request in self._requests.values():
            standing = next((call for thread in request.process.threads if (call := wait_of(thread))), None)
            confidence = self._at_end(request, kernel, standing)
            if confidence is not None:
                yield from self._findings(request, kernel, standing, confidence)

    def _pasted(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge lines that end inside a read of a socket, as of a hanging process: the request is outside."""
        threads = list(kernel.process_table.threads.values())
        if any(thread.pending is None for thread in threads):
            return  # the others are at work: the lines were cut, and the call may have returned in the next
        for thread in threads:
            call = wait_of(thread)
            numbers = None if call is None else waited_for(call)
            if call is None or not numbers or len(numbers) > 1 or not is_last(call, kernel):
                continue
            held = thread.process.table.get(next(iter(numbers)))
            socket = None if held is None else held.file.socket
            if held is None or socket is None or socket.accepted is not None or socket.accepting:
                continue
            if socket.stream is False or (socket.peer or "").endswith(":53"):
                continue
            if socket.last_read is None and (call.name.startswith("recv") or socket.peer):
                request = Request(thread.process, held, call, answered_before=False)
                yield from self._findings(request, kernel, None, Confidence.POSSIBLE)

    def _at_end(self, request: Request, kernel: Kernel, standing: Syscall | Begun | None) -> Confidence | None:
        """Say how sure it is that the answer is missing, rather than on its way when the trace was cut."""
        if (request.waits is not None and request.waits.times >= ATTEMPTS.worth) or request.waited >= self.unanswered:
            return Confidence.CERTAIN
        seconds = seconds_since(request, kernel)
        alone = sum(other.process.current is request.process for other in self._requests.values()) == 1
        if standing is None:
            return None  # no call waits for the answer: the lines were cut, and it may come in the next
        directly = waits_for(request, waited_for(standing))
        if directly is False or (directly is None and not self.scope.is_excerpt) or is_idle(request, standing):
            return None
        if seconds is not None:
            return None if seconds < self.unanswered else Confidence.LIKELY if directly else Confidence.POSSIBLE
        # Without times only a trace that ends while all wait shows that the wait lasts.
        at_work = any(thread.pending is None for thread in kernel.process_table.threads.values())
        served = request.answered_before or is_served(request)
        return Confidence.POSSIBLE if alone and not served and not at_work else None

    def _findings(
        self, request: Request, kernel: Kernel, standing: Syscall | Begun | None, confidence: Confidence
    ) -> Iterator[Finding]:
        if waits_as_asked(request, kernel):
            return
        process, number = request.process, request.descriptor.number
        socket = request.descriptor.file.socket
        if confidence is Confidence.CERTAIN and (socket is None or socket.connected is None):
            confidence = Confidence.LIKELY  # the connect is outside the trace
        server = server_of(kernel, request.descriptor.file, process)
        end = process.exit if process.exit is not None and process.ended_badly else None
        seconds = seconds_since(request, kernel) or 0
        lost = end is not None or (standing is not None and seconds >= _VERY_LONG * self.unanswered)
        until = end or standing or (request.waits.last if request.waits is not None else request.call)
        asked, statement = request.call.name in SENDS, statement_of(request)
        yield self.finding(
            _story(request, standing, end),
            object=describe(request.descriptor),
            title=_title(server, title_of(statement) if asked else ""),
            severity=Severity.ERROR if lost and not request.answered_before else Severity.WARNING,
            confidence=confidence,
            absent=[no(f"data received on fd {number}", request.call, until)] if asked else [],
            why="the kernel completes connections and buffers data for a server that never reads them, so a hung server"
            " looks like a slow one for as long as the client waits: listen(2), send(2)",
            fix=f"{_look(server, socket, question_to(statement))}; and set a timeout for the wait on fd {number}",
            explains=[("slow-call", standing.line)] if standing is not None else [],
        )


def _title(server: Server, asked: str) -> str:
    if not asked:
        return f"no data from {server.peer}: if an answer is due, the peer does not respond"
    return f"{server.peer} does not answer {asked}" + (f": {server.doing}" if server.doing else "")


def _look(server: Server, socket: Socket | None, question: str | None) -> str:
    """Say where to look for the cause."""
    if question is not None:
        return f"ask {server.peer} what the statement waits for: {question}"
    if server.process is not None and server.process.pid is not None:
        return f"look at process {server.process.pid}, the server: strace -p {server.process.pid} shows what blocks it"
    return f"look at {server.peer}, not at this program: {_tools(socket)} finds the process, strace -p shows its calls"


def _empty(request: Request, call: Syscall) -> None:
    request.waits = lengthened(request.waits, call)
    request.waited += call.duration or 0


def _tools(socket: Socket | None) -> str:
    peer = "" if socket is None or socket.peer is None or socket.peer.isdecimal() else socket.peer
    unix = (socket is not None and socket.family in _UNIX) or bool(peer and ":" not in peer)
    return "ss -xp" if unix else "ss -tp"


def _story(request: Request, standing: Syscall | Begun | None, end: Exit | None) -> Iterator[Step]:
    socket, number = request.descriptor.file.socket, request.descriptor.number
    if socket is not None and socket.connected is not None:
        yield step(socket.connected, f"fd {number} is connected: a server listens there")
    if request.call.name not in SENDS:
        yield step(request.call, f"waits for data on fd {number}; none arrives", primary=True)
        return
    yield step(request.call, f"the request is sent on fd {number}", primary=True)
    last = None
    if request.waits is not None:
        yield request.waits.together("no answer arrives")
        last = request.waits.last
    if standing is not None and standing is not last:
        yield step(standing, f"waits for the answer on fd {number}")
    if end is not None:
        yield step(end, f"the process {manner(end)} without an answer")
