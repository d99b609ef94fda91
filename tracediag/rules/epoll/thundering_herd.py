"""TD114: several workers woken for one connection."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.runs import LOOP
from tracediag.evidence.scope import Fact
from tracediag.evidence.steps import repeated
from tracediag.evidence.waiters import unfollowed
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.epoll import EpollSet, Registration, Round
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_trace_end
from tracediag.trace.calls import ACCEPTS, EPOLL_WAITS, POLLS, SELECTS
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import plural

_MAX_THREADS = 1000
_COSTLY = 2
"""Useless wakeups for each connection from which they cost more than they are worth."""


class _Useless(msgspec.Struct):
    """A wakeup that found no connection."""

    wait: Syscall
    entry: Registration | None
    accept: Syscall


class _Wave(msgspec.Struct):
    """One connection: the accept that got it, and the useless wakeups."""

    taken: Syscall | None = None
    useless: list[_Useless] = msgspec.field(default_factory=list)
    """The first few wakeups without a connection, one a thread."""

    def knows(self, pid: int | None) -> bool:
        """Whether one of the useless wakeups was of this thread."""
        return any(wakeup.accept.pid == pid for wakeup in self.useless)


class _Listener(msgspec.Struct):
    """A listener and its wakeups, each judged by the first accept after it."""

    descriptor: Descriptor
    fruitful: int = 0
    useless: int = 0
    turns: dict[int | None, Round] = msgspec.field(default_factory=dict)
    """The last turn of each thread that was counted."""
    idle: set[int | None] = msgspec.field(default_factory=set)
    """The threads with at least one useless wakeup."""
    wave: _Wave = msgspec.field(default_factory=_Wave)
    worst: _Wave = msgspec.field(default_factory=_Wave)
    loops: list[EpollSet | None] = msgspec.field(default_factory=list)
    """Up to two of the epoll sets that watched it; None for poll and select."""
    last: Syscall | None = None
    hidden: bool = False
    """Whether the process has threads that strace does not follow: what they accept is not known."""

    def count(self, turn: Round, entry: Registration | None, accept: Syscall) -> None:
        """Count the first accept after a wakeup."""
        if accept.errno != "EAGAIN":
            self.fruitful += 1
            self.wave = _Wave(accept)
            return
        self.useless += 1
        self.last = accept
        if len(self.idle) < _MAX_THREADS:
            self.idle.add(accept.pid)
        if len(self.loops) < 2 and not any(loop is turn.epoll for loop in self.loops):
            self.loops.append(turn.epoll)
        if len(self.wave.useless) < LOOP.sure and not self.wave.knows(accept.pid):
            self.wave.useless.append(_Useless(turn.wait, entry, accept))
        if len(self.wave.useless) > len(self.worst.useless) or (
            self.worst.taken is None and self.wave.taken is not None
        ):
            self.worst = self.wave


class ThunderingHerd(Rule):
    """Several threads or processes are woken for each connection, and all but one find nothing."""

    code = "TD114"
    name = "thundering-herd"
    severity = Severity.WARNING
    summary = "several threads or processes are woken for each connection, and most find nothing to accept"
    needs = (Fact.PIDS,)
    raised_by = (("accept", "accept4"), (*EPOLL_WAITS, *POLLS, *SELECTS))

    def __init__(self) -> None:
        self._listeners: list[_Listener] = []
        self._by_file: Cases[OpenFile, _Listener] = Cases()
        self._by_address: dict[str, _Listener] = {}
        """Listeners created before the trace: each process shows its own, but an address has one backlog."""

    @on_call(*ACCEPTS)
    def accepted(self, action: Action) -> None:
        """Count the first accept after a wakeup, unless EPOLLEXCLUSIVE limits the wakeups."""
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
            listener.hidden = listener.hidden or unfollowed(action.process)
            if entry is None or "EPOLLEXCLUSIVE" not in (entry.events or ()):
                listener.count(turn, entry, call)
            if len(listener.turns) < _MAX_THREADS or call.pid in listener.turns:
                listener.turns[call.pid] = turn
            return

    def _of(self, descriptor: Descriptor) -> _Listener:
        file = descriptor.file
        found = self._by_file.get(file)
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
        self._by_file[file] = found
        return found

    @on_trace_end
    def ended(self, _: Kernel) -> Iterator[Finding]:
        """Judge each listener by all its wakeups."""
        excerpt = self.scope.excerpt
        for listener in self._listeners:
            confidence = _confidence(listener, excerpt=excerpt)
            if confidence is not None:
                yield self._finding(listener, confidence)

    def _finding(self, listener: _Listener, confidence: Confidence) -> Finding:
        number, listened = listener.descriptor.number, name(listener.descriptor)
        if _is_alone(listener):
            title = f"the loop is woken for connections to {listened} that another worker accepts"
        else:
            title = f"each connection to {listened} wakes several workers, and most find nothing to accept"
        return self.finding(
            _story(listener),
            object=describe(listener.descriptor),
            title=LOOP.title(listener.useless, title),
            severity=Severity.WARNING if confidence is Confidence.POSSIBLE or _costs(listener) else Severity.NOTE,
            confidence=confidence,
            why=_why(listener),
            fix=_fix(listener, number),
        )


def _costs(listener: _Listener) -> bool:
    """Whether the useless wakeups take a noticeable part of the CPU time: a few among others cost nothing."""
    unopposed = not listener.fruitful and not listener.hidden
    return unopposed or listener.useless >= max(LOOP.sure, _COSTLY * listener.fruitful)


def _is_alone(listener: _Listener) -> bool:
    """Whether the trace shows only one of the workers that share the listener."""
    return len(listener.idle) == 1 and listener.worst.taken is None


def _confidence(listener: _Listener, *, excerpt: int) -> Confidence | None:
    """Return how sure it is that most wakeups are useless, and not only a few of a busy server."""
    useless, fruitful = listener.useless, listener.fruitful
    if not useless or useless <= (2 * fruitful if len(listener.idle) == 1 else fruitful):
        return None
    if useless < LOOP.worth:
        return Confidence.POSSIBLE if LOOP.enough(useless, excerpt) else None
    if useless >= LOOP.sure and len(listener.idle) > 1 and listener.worst.taken is not None:
        return Confidence.CERTAIN
    return Confidence.LIKELY


def _is_one_set(listener: _Listener) -> bool:
    """Whether several threads wait on the same epoll set."""
    return len(listener.idle) > 1 and len(listener.loops) == 1 and listener.loops[0] is not None


def _why(listener: _Listener) -> str:
    if _is_one_set(listener):
        return (
            "without EPOLLET a ready descriptor wakes several of the threads that wait on one epoll set, one after"
            " another, until a thread has served it: epoll(7)"
        )
    return (
        "a connection wakes every worker that waits for the listener with epoll, poll or select; one accepts it, and in"
        " the others accept fails with EAGAIN: EPOLLEXCLUSIVE in epoll_ctl(2)"
    )


def _fix(listener: _Listener, number: int) -> str:
    if _is_one_set(listener):
        return f"add fd {number} with EPOLLET and accept until EAGAIN: a connection then wakes one thread"
    if listener.loops == [None]:
        return f"wait in a blocking accept on fd {number}, which wakes one worker, or use epoll with EPOLLEXCLUSIVE"
    return f"add fd {number} with EPOLLIN|EPOLLEXCLUSIVE, or let each worker bind its own listener with SO_REUSEPORT"


def _story(listener: _Listener) -> Iterator[Step]:
    number, wave = listener.descriptor.number, listener.worst
    first, *others = wave.useless
    if first.entry is not None and first.entry.added is not None:
        yield step(first.entry.added, f"the epoll set watches fd {number}, without EPOLLEXCLUSIVE")
    if wave.taken is not None:
        yield step(wave.taken, "one worker accepts the connection")
    yield step(first.wait, f"a worker is woken for fd {number}")
    yield step(first.accept, "this worker finds nothing to accept", primary=True)
    if others:
        yield repeated(others[0].accept, "another worker finds nothing to accept", len(others), others[-1].accept.line)
    if listener.last is not None and listener.last.line > wave.useless[-1].accept.line:
        total = f"so far {plural(listener.useless, 'useless wakeup')}, {listener.fruitful:,} with a connection"
        yield step(listener.last, total)
