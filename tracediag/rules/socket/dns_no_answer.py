"""TD211: a DNS query without an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.bounds import KEPT
from tracediag.evidence.cases import Cases
from tracediag.evidence.dns import UNKNOWN, Message, looks_like_query, messages, unread
from tracediag.evidence.runs import lengthened
from tracediag.evidence.waiters import blocked_at, waited_for
from tracediag.kernel import Action, Kernel
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Round
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.socket import Socket, format_address
from tracediag.results.findings import Confidence, Finding, Severity
from tracediag.rules.base import Rule, on_call, on_process_end, on_traffic
from tracediag.rules.socket._lookups import REFUSED, SILENT, Lookup, Query, fix_of, story_of, title_of
from tracediag.trace.calls import READS, WAITS
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.values import Structure, walk

_SENDS = ("send", "sendto", "sendmsg", "sendmmsg", "write")
_ERRORS = frozenset({"POLLERR", "EPOLLERR"})


class DnsNoAnswer(Rule):
    """A query without an answer: its timeout, the next server, the name."""

    code = "TD211"
    name = "dns-no-answer"
    severity = Severity.WARNING
    summary = "a DNS query gets no answer: each lookup costs the resolver's timeout"
    rests_on_successes = True
    unanswered: ClassVar[float] = 2.0
    """Seconds without an answer from which a wait that has not ended is reported."""

    def __init__(self) -> None:
        self._lookups: Cases[tuple[Process, str], Lookup] = Cases()

    @on_traffic(*_SENDS)
    def sent(self, action: Action) -> None:
        """Remember each query."""
        descriptor, call = action.descriptor, action.call
        if descriptor is None or descriptor.file.socket is None or call.result is None or call.result <= 0:
            return
        port = (descriptor.file.socket.peer or "").endswith(":53") or call.has("htons(53)")
        if not (port or looks_like_query(call)) or not _to_server(descriptor.file.socket, call):
            return
        for message in list(messages(call)) or ([unread(call)] if port else []):
            if not message.response:
                self._asked(action, Query(message, descriptor, call, _server(descriptor.file.socket, call)))

    def _asked(self, action: Action, query: Query) -> None:
        key = (action.process, query.message.name)
        lookup = self._lookups.get(key)
        if lookup is None:
            if len(self._lookups) >= KEPT:
                return
            lookup = self._lookups[key] = Lookup(action.process, query.message.name)
        if lookup.first is None:
            lookup.first = query
        elif lookup.waits is not None or any(_same(query, other) for other in lookup.pending):
            lookup.again.append(query)
        lookup.pending = [other for other in lookup.pending if not _same(query, other)]
        lookup.pending.append(query)

    @on_traffic(*READS, "recvmmsg", given="_lookups")
    def received(self, action: Action) -> Iterator[Finding]:
        """An answer arrives; ECONNREFUSED, no server there, counts as one."""
        descriptor, call = action.descriptor, action.call
        if descriptor is None or call.errno == "EAGAIN":
            return
        if call.interrupted or not call.returned:
            return
        mine = [lookup for lookup in self._lookups.values() if any(_on(query, descriptor) for query in lookup.pending)]
        if not mine:
            return
        numbers = {message.id for message in messages(call)}
        for lookup in mine:
            answered = [q for q in lookup.pending if _on(q, descriptor) and (q.message.id in numbers or not numbers)]
            kinds = {query.message.type for query in answered}
            lookup.pending = [query for query in lookup.pending if query.message.type not in kinds]
            lookup.answered |= kinds
            if not lookup.pending:
                del self._lookups[lookup.process, lookup.name]
                lookup.answer = call
                yield from self._judge(lookup)

    @on_call(*WAITS)
    def waited(self, action: Action) -> None:
        """A wait for an answer times out, or reports that the query was refused."""
        call = action.call
        if self._lookups and action.round is not None and call.result:
            self._refused(action, action.round)
        if call.result != 0 or (call.name in ("poll", "epoll_wait") and _last(call) == 0):
            return
        numbers = waited_for(call)
        self._unseen(action, numbers or frozenset())
        for lookup in self._lookups.values():
            if lookup.process.current is action.process and _waits_for(lookup, numbers):
                lookup.waits = lengthened(lookup.waits, call)

    def _refused(self, action: Action, turn: Round) -> None:
        """Note an error on the socket of a query: a closed port is reported so, and glibc does not read the error."""
        failed = [report.descriptor for report in turn.reports if not _ERRORS.isdisjoint(report.events)]
        for lookup in self._lookups.values() if failed else ():
            if any(query.descriptor in failed for query in lookup.pending):
                lookup.refused = lookup.refused or action.call

    def _unseen(self, action: Action, numbers: frozenset[int]) -> None:
        """Assume a query where the recording leaves it out: the program waits for a name server."""
        for number in numbers:
            held = action.process.table.get(number)
            socket = None if held is None else held.file.socket
            if held is None or socket is None or socket.connected is None or not (socket.peer or "").endswith(":53"):
                continue
            if socket.last_write is None and socket.last_read is None:
                unknown = Message(0, UNKNOWN, None, response=False)
                self._asked(action, Query(unknown, held, socket.connected, socket.peer))

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """The process or the trace ends without an answer."""
        for key in [key for key, lookup in self._lookups.items() if lookup.process.current is end.process]:
            lookup = self._lookups.pop(key)
            matters = end.exit is not None or _waited(lookup, end.kernel) >= self.unanswered or self.scope.is_excerpt
            yield from self._judge(lookup, blocked_at(end) if matters else None)

    def _judge(self, lookup: Lookup, standing: Syscall | Begun | None = None) -> Iterator[Finding]:
        if lookup.refused is not None and self.scope.hides_failures:
            return  # the read that returned ECONNREFUSED, after which the next server is asked, may be missing
        tried = lookup.waits is not None or lookup.again or lookup.refused is not None or standing is not None
        if lookup.first is not None and tried:
            yield self._finding(lookup, lookup.first, standing)

    def _finding(self, lookup: Lookup, first: Query, standing: Syscall | Begun | None) -> Finding:
        process, server = lookup.process, first.server or "the name server"
        title = title_of(lookup, first, server)
        bad = lookup.answer is None and Aftermath(process, first.call).mattered
        waited = lookup.waits is not None
        harmless = lookup.refused is not None and lookup.answer is not None  # the next server is asked immediately
        return self.finding(
            story_of(lookup, first, standing),
            object=f"fd {first.descriptor.number} -> {server}, query {lookup.name}",
            title=title,
            severity=Severity.ERROR if bad else Severity.NOTE if harmless else Severity.WARNING,
            confidence=Confidence.CERTAIN
            if waited or lookup.refused is not None
            else Confidence.LIKELY
            if lookup.again
            else Confidence.POSSIBLE,
            why=SILENT if lookup.refused is None else REFUSED,
            fix=fix_of(lookup, first, server),
            explains=[] if lookup.waits is None else [("slow-call", lookup.waits.first.line)],
        )


def _waited(lookup: Lookup, kernel: Kernel) -> float:
    """Return the seconds since the first query; 0 where the trace has no times."""
    now = kernel.last_time
    asked = None if lookup.first is None else lookup.first.call.time
    return 0.0 if now is None or asked is None else now - asked


def _same(query: Query, other: Query) -> bool:
    return query.message.type == other.message.type and (
        query.message.type is not None or query.message.id == other.message.id
    )


def _on(query: Query, descriptor: Descriptor) -> bool:
    return query.descriptor.file is descriptor.file


def _last(call: Syscall) -> int | None:
    return call.number(2 if call.name == "poll" else 3)


def _waits_for(lookup: Lookup, numbers: frozenset[int] | None) -> bool:
    if numbers is None:
        return any(query.descriptor.file.registrations for query in lookup.pending)
    return any(query.descriptor.number in numbers for query in lookup.pending)


def _to_server(socket: Socket, call: Syscall) -> bool:
    """Whether a packet goes to a name server: by the port; where that is not known, the packet decides."""
    server = _server(socket, call)
    return server is None or server.endswith(":53") or socket.stream is not True


def _server(socket: Socket, call: Syscall) -> str | None:
    for arg in call.args[1:] if call.name in ("sendto", "sendmsg") else ():
        for value in walk(arg):
            if isinstance(value, Structure) and (address := format_address(value)) is not None:
                return address
    return socket.peer
