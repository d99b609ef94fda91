"""TD103: an edge-triggered listener that is accepted from once per wakeup."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.scope import Fact
from tracediag.evidence.steps import no
from tracediag.kernel import Action, Kernel
from tracediag.kernel.calls.transfer import BROKEN
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.epoll import Readiness, Round
from tracediag.kernel.process import Thread
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_round, on_trace_end, on_traffic
from tracediag.rules.epoll._accepting import MAX_KEPT, Dead, Listener, Turn, confidence_in, example, is_hidden
from tracediag.trace.calls import ACCEPTS, EPOLL_WAITS, WRITES
from tracediag.trace.events import Syscall
from tracediag.trace.values import names_of

_SYMPTOMS = ("write-after-peer-closed", "epipe-still-registered", "use-after-reset", "send-without-nosignal")
_EARLY_WRITES = 2
_ORIGINS_KEPT = 1024
"""Connections, the latest, whose listener is known: only the first that happens to one matters."""


class EdgeTriggeredAcceptOnce(Rule):
    """A listener with EPOLLET, woken, accepted from once, and waited for again without accept = EAGAIN."""

    code = "TD103"
    name = "edge-triggered-accept-once"
    severity = Severity.ERROR
    summary = "one accept per wakeup of an edge-triggered listener: connections stay in the backlog"
    rests_on_failures = True
    needs = (Fact.START,)
    raised_by = (ACCEPTS, EPOLL_WAITS)

    def __init__(self) -> None:
        self._listeners: Cases[OpenFile, Listener] = Cases(outlive=True)
        self._origins: Cases[OpenFile, Listener] = Cases(_ORIGINS_KEPT, outlive=True)
        """The listener that a connection was accepted from."""
        self._sent: Cases[Descriptor, int] = Cases()
        """The first writes on a connection, as many as count as early."""
        self._reached: Cases[Descriptor, Syscall] = Cases(_ORIGINS_KEPT, outlive=True)
        """The last of these writes that succeeded."""
        self._met: Cases[Descriptor, None] = Cases(outlive=True)
        """Connections for which a wait has reported an event; a turn is judged after the close that it made."""
        self._outside: Cases[Thread, Turn] = Cases()
        """The last accept of each thread whose wakeup is outside the trace."""

    @on_round
    def turned(self, action: Action) -> None:
        """Look at what was done about a listener that was reported."""
        turn = action.finished
        for report in turn.reports if turn is not None else ():
            if turn is not None and report.descriptor is not None and "EPOLLIN" in report.events:
                self._judge(report.descriptor, turn, report)
            self._dead_on_arrival(turn, report)

    def _judge(self, descriptor: Descriptor, turn: Round, report: Readiness) -> None:
        accepts = [call for call in report.calls if call.name in ACCEPTS]
        if not accepts:
            return
        listener = self._listener(descriptor)
        listener.entry = report.registration or listener.entry
        if len(accepts) > 1:
            listener.drained = True
        elif accepts[0].result is not None and not accepts[0].failed:
            listener.keep(Turn(turn.wait, accepts[0], turn.ended_by))

    def _listener(self, descriptor: Descriptor) -> Listener:
        found = self._listeners.get(descriptor.file)
        if found is None:
            found = self._listeners[descriptor.file] = Listener(descriptor)
        return found

    @on_call(*ACCEPTS)
    def accepted(self, action: Action) -> None:
        """Link a connection to the listener that it came from; note an accept whose wakeup is outside the trace."""
        if action.descriptor is None:
            return
        listener = self._listener(action.descriptor)
        # A program that accepts without a wakeup remembers what may be left: the pollers of Go and Rust do.
        unasked = action.descriptor.readiness is None and listener.entry is not None and listener.turns
        if action.call.errno == "EAGAIN" or unasked:
            listener.drained = True
        for connection in action.opened:
            self._origins[connection.file] = listener
        if not action.thread.rounds and not action.call.failed:
            turn = self._outside[action.thread] = Turn(None, action.call, None)
            listener.keep(turn)

    @on_call(*EPOLL_WAITS)
    def waited(self, action: Action) -> None:
        """Close a turn whose wakeup is outside the trace."""
        turn: Turn | None = self._outside.pop(action.thread)
        if turn is not None:
            turn.again = action.call

    @on_call("epoll_ctl")
    def watched(self, action: Action) -> None:
        """Note whether the program watches its connections edge-triggered."""
        entry = action.registration
        if entry is None:
            return
        if (listener := self._listeners.get(entry.file)) is not None:
            # EPOLL_CTL_MOD checks the backlog again and reports what is left there: ep_modify in fs/eventpoll.c.
            listener.drained |= "EPOLL_CTL_MOD" in names_of(action.call.arg(1))
        elif entry.edge_triggered and (listener := self._origins.get(entry.file)) is not None:
            listener.edge_triggered_clients = True

    @on_errno(*BROKEN)
    def broken(self, action: Action) -> None:
        """Note a connection whose first or second write fails."""
        call, connection = action.call, action.descriptor
        if connection is None or call.name not in WRITES:
            return
        if self._sent.get(connection, 0) < _EARLY_WRITES:
            waits = [turn.wait for turn in action.thread.rounds.values()]
            latest = max((max(wait.line, wait.end_line) for wait in waits), default=0)
            self._dead(connection, call, f"{call.errno}: the client is already gone", latest)

    @on_traffic(*WRITES)
    def sent(self, action: Action) -> None:
        """Count the writes on a connection."""
        connection = action.descriptor
        if connection is not None and not action.call.failed and connection.file in self._origins:
            sent = self._sent.get(connection, 0)
            if sent < _EARLY_WRITES:
                self._sent[connection] = sent + 1
                self._reached[connection] = action.call

    def _dead_on_arrival(self, turn: Round | None, report: Readiness) -> None:
        connection = report.descriptor
        if connection is None or turn is None or connection in self._met or connection.file not in self._origins:
            return
        if connection.closed is None:
            self._met[connection] = None
        if report.events & {"EPOLLHUP", "EPOLLERR"}:
            note = f"the first event of the connection is {'|'.join(sorted(report.events))}"
            self._dead(connection, turn.wait, note, turn.wait.line)

    def _dead(self, connection: Descriptor, sign: Syscall, note: str, waited: int) -> None:
        listener = self._origins.get(connection.file)
        if listener is not None and connection.opened is not None and len(listener.dead) < MAX_KEPT:
            reached = self._reached.get(connection)
            greeted = reached is not None and reached.line < waited
            listener.dead.append(Dead(connection.opened, sign, note, greeted))

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge each listener by all its turns."""
        del kernel
        for listener in self._listeners.values():
            confidence = confidence_in(listener)
            if confidence is not None:
                yield self._finding(listener, confidence)

    def _finding(self, listener: Listener, confidence: Confidence) -> Finding:
        turn = example(listener)
        number = listener.descriptor.number
        return self.finding(
            _story(listener, turn),
            severity=_severity(listener, confidence),
            confidence=confidence,
            object=describe(listener.descriptor),
            title=_title(listener, confidence).format(name(listener.descriptor)),
            absent=() if turn.again is None else [no(f"EAGAIN from accept on fd {number}", turn.accept, turn.again)],
            why=_WHY,
            fix=f"call accept on fd {number} until it fails with EAGAIN, or register fd {number} without EPOLLET",
            explains=[(rule, dead.sign.line) for dead in listener.dead for rule in _SYMPTOMS],
        )


_FEW = "one accept for a wakeup on {}, which is edge-triggered: a second connection would stay in the backlog"
_TITLE = "one accept per wakeup on {}, which is edge-triggered: connections stay in the backlog"
_GUESS = "if {} is edge-triggered, one accept per wakeup leaves connections in the backlog"
_WHY = (
    "with EPOLLET a wakeup reports a change, not what is left in the backlog: each new connection only lets out the"
    " oldest one in the queue, and that client may be long gone: epoll(7)"
)


def _severity(listener: Listener, confidence: Confidence) -> Severity:
    if confidence is not Confidence.POSSIBLE:
        return Severity.ERROR
    return Severity.WARNING if is_hidden(listener) else Severity.NOTE


def _title(listener: Listener, confidence: Confidence) -> str:
    if confidence is not Confidence.POSSIBLE:
        return _TITLE
    return _GUESS if is_hidden(listener) else _FEW


def _story(listener: Listener, turn: Turn) -> Iterator[Step]:
    number = listener.descriptor.number
    if listener.entry is not None and listener.entry.added is not None:
        yield step(listener.entry.added, f"the listener, fd {number}, is registered edge-triggered (EPOLLET)")
    if isinstance(turn.wait, Syscall):
        yield step(turn.wait, f"woken for fd {number}")
    yield step(turn.accept, "accepts one connection, whatever the backlog holds", primary=True)
    if turn.again is not None:
        yield step(turn.again, f"waits again although accept on fd {number} has not failed with EAGAIN")
    dead = next((dead for dead in listener.dead if dead.accept.line >= turn.accept.line), None)
    dead = dead or next(iter(listener.dead), None)
    if dead is None:
        return
    if dead.accept is not turn.accept:
        yield step(dead.accept, "accepts a connection that was left in the backlog")
    if turn.again is None or dead.sign.line != turn.again.line:
        yield step(dead.sign, dead.note)
