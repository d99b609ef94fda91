"""TD114: several waiters woken for one connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tracediag.evidence.runs import LOOP
from tracediag.evidence.scope import Fact
from tracediag.evidence.steps import repeated
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import EpollSet, Registration, Round
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_trace_end
from tracediag.trace.calls import ACCEPTS, EPOLL_WAITS, POLLS, SELECTS
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import plural

_THREADS_KEPT = 1000


@dataclass(slots=True)
class _Vain:
    """A wakeup that brought no connection."""

    wait: Syscall
    entry: Registration | None
    accept: Syscall


@dataclass(slots=True)
class _Wave:
    """What one connection led to: who got it, and who was woken in vain."""

    taken: Syscall | None = None
    vain: list[_Vain] = field(default_factory=list)
    """The first few wakeups without a connection, one a thread."""

    def knows(self, pid: int | None) -> bool:
        """Whether that thread is among those woken in vain."""
        return any(vain.accept.pid == pid for vain in self.vain)


@dataclass(slots=True)
class _Listener:
    """A listener, and how the wakeups for it went: only the first accept of each of them tells."""

    descriptor: Descriptor
    fruitful: int = 0
    vain: int = 0
    turns: dict[int | None, Round] = field(default_factory=dict)
    """The last turn of each thread that was counted."""
    idle: set[int | None] = field(default_factory=set)
    """The threads that were woken in vain at least once."""
    wave: _Wave = field(default_factory=_Wave)
    worst: _Wave = field(default_factory=_Wave)
    loops: list[EpollSet | None] = field(default_factory=list)
    """The epoll sets, up to two of them, by which it was watched; None for poll and select."""
    last: Syscall | None = None

    def count(self, turn: Round, entry: Registration | None, accept: Syscall) -> None:
        """Take the first accept of a wakeup."""
        if accept.errno != "EAGAIN":
            self.fruitful += 1
            self.wave = _Wave(accept)
            return
        self.vain += 1
        self.last = accept
        if len(self.idle) < _THREADS_KEPT:
            self.idle.add(accept.pid)
        if len(self.loops) < 2 and not any(loop is turn.epoll for loop in self.loops):
            self.loops.append(turn.epoll)
        if len(self.wave.vain) < LOOP.sure and not self.wave.knows(accept.pid):
            self.wave.vain.append(_Vain(turn.wait, entry, accept))
        if len(self.wave.vain) > len(self.worst.vain) or (self.worst.taken is None and self.wave.taken is not None):
            self.worst = self.wave


class ThunderingHerd(Rule):
    """Several threads or processes are woken for each connection, and all but one find nothing."""

    code = "TD114"
    name = "thundering-herd"
    severity = Severity.WARNING
    summary = "several threads or processes are woken for one connection, and most of them find nothing to accept"
    needs = (Fact.PIDS,)
    raised_by = (("accept", "accept4"), (*EPOLL_WAITS, *POLLS, *SELECTS))

    def __init__(self) -> None:
        self._listeners: list[_Listener] = []
        self._by_address: dict[str, _Listener] = {}
        """Listeners made before the trace began: each process shows its own, but an address has one backlog."""

    @on_call(*ACCEPTS)
    def accepted(self, action: Action) -> None:
        """Count the first accept that answers a wakeup, unless only one waiter was to be woken."""
        call, descriptor, rounds = action.call, action.descriptor, action.thread.rounds
        if not rounds or descriptor is None or (call.failed and call.errno != "EAGAIN"):
            return
        listener = self._of(descriptor)
        seen = listener.turns.get(call.pid)
        if seen is not None and any(turn is seen for turn in rounds.values()):
            return
        for turn in rounds.values():
            report = next((r for r in turn.reports if r.descriptor and r.descriptor.file is descriptor.file), None)
            if report is None:
                continue
            entry = report.registration
            if entry is None or "EPOLLEXCLUSIVE" not in (entry.events or ()):
                listener.count(turn, entry, call)
            if len(listener.turns) < _THREADS_KEPT or call.pid in listener.turns:
                listener.turns[call.pid] = turn
            return

    def _of(self, descriptor: Descriptor) -> _Listener:
        file = descriptor.file
        found: _Listener | None = file.memory.get(self.name)
        if found is not None:
            return found
        local = file.socket.local if file.socket is not None and file.inherited else None
        if local is not None:
            found = self._by_address.get(local)
        if found is None:
            found = _Listener(descriptor)
            self._listeners.append(found)
        if local is not None:
            self._by_address[local] = found
        file.memory[self.name] = found
        return found

    @on_trace_end
    def ended(self, _: Kernel) -> Iterator[Finding]:
        """Judge each listener by all its wakeups."""
        excerpt = self.scope.is_excerpt
        for listener in self._listeners:
            confidence = _confidence(listener, excerpt=excerpt)
            if confidence is not None:
                yield self._finding(listener, confidence)

    def _finding(self, listener: _Listener, confidence: Confidence) -> Finding:
        number = listener.descriptor.number
        if _is_alone(listener):
            title = "the loop is woken for connections that somebody else takes"
        else:
            title = "each connection wakes several waiters, and most of them find nothing to accept"
        return self.finding(
            _story(listener),
            object=describe(listener.descriptor),
            title=LOOP.title(listener.vain, title),
            confidence=confidence,
            why=_why(listener),
            fix=_fix(listener, number),
        )


def _is_alone(listener: _Listener) -> bool:
    """Whether the trace shows only one of those who share the listener."""
    return len(listener.idle) == 1 and listener.worst.taken is None


def _confidence(listener: _Listener, *, excerpt: bool) -> Confidence | None:
    """Say how sure it is that most wakeups are in vain, and not only a few of a busy server."""
    vain, fruitful = listener.vain, listener.fruitful
    if not vain or vain <= (2 * fruitful if len(listener.idle) == 1 else fruitful):
        return None
    if vain < LOOP.worth:
        return Confidence.POSSIBLE if excerpt else None
    if vain >= LOOP.sure and len(listener.idle) > 1 and listener.worst.taken is not None:
        return Confidence.CERTAIN
    return Confidence.LIKELY


def _is_one_set(listener: _Listener) -> bool:
    """Whether several threads wait on one and the same epoll set."""
    return len(listener.idle) > 1 and len(listener.loops) == 1 and listener.loops[0] is not None


def _why(listener: _Listener) -> str:
    if _is_one_set(listener):
        return (
            "without EPOLLET a descriptor that is ready wakes several of the threads that wait on one epoll set, one"
            " after the other, until somebody has served it: epoll(7)"
        )
    return (
        "a connection wakes every process that waits for the listener by epoll, poll or select; only one of them gets"
        " it, accept of the others fails with EAGAIN: EPOLLEXCLUSIVE in epoll_ctl(2)"
    )


def _fix(listener: _Listener, number: int) -> str:
    if _is_one_set(listener):
        return f"add fd {number} with EPOLLET and accept until EAGAIN: then a connection wakes one thread"
    if listener.loops == [None]:
        return (
            f"wait for fd {number} by a blocking accept, or by epoll with EPOLLEXCLUSIVE: then a connection wakes one"
        )
    return (
        f"add fd {number} with EPOLLIN|EPOLLEXCLUSIVE, or let each worker bind a listener of its own with SO_REUSEPORT"
    )


def _story(listener: _Listener) -> Iterator[Step]:
    number, wave = listener.descriptor.number, listener.worst
    first, *others = wave.vain
    if first.entry is not None and first.entry.added is not None:
        yield step(first.entry.added, f"the epoll set watches fd {number}, without EPOLLEXCLUSIVE")
    if wave.taken is not None:
        yield step(wave.taken, "one of those woken takes the connection")
    yield step(first.wait, f"woken for fd {number}" + (", too" if wave.taken is not None else ""))
    yield step(first.accept, "nothing to accept: woken in vain", primary=True)
    if others:
        yield repeated(others[0].accept, "another one, in vain", len(others), others[-1].accept.line)
    if listener.last is not None and listener.last.line > wave.vain[-1].accept.line:
        total = f"{plural(listener.vain, 'wakeup')} in vain by now, {listener.fruitful} with a connection"
        yield step(listener.last, total)
