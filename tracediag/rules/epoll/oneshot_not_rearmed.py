"""TD113: an EPOLLONESHOT registration that has fired and is never armed again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tracediag.events import Begun, Exit, Syscall
from tracediag.findings import Confidence, Finding, Severity, Step, step
from tracediag.kernel import Action, Kernel
from tracediag.kernel.calls.transfer import READS, WRITES, asked
from tracediag.kernel.calls.waiting import EPOLL_WAITS, POLLS, SELECTS
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.epoll import EpollSet, Readiness, Registration
from tracediag.kernel.process import Process, Thread
from tracediag.rules.base import Rule, on_call, on_end, on_exit, on_release, on_traffic
from tracediag.rules.steps import is_excerpt, last_line, no
from tracediag.values import names_of

_ACCEPTS = ("accept", "accept4")
_TAKES = frozenset({*READS, *_ACCEPTS, "recvmmsg", "splice"})
_KEPT = 1000
_IDLE = frozenset({*EPOLL_WAITS, *POLLS, *SELECTS, *_ACCEPTS, "futex", "wait4", "waitid", "rt_sigtimedwait", "pause"})
"""Calls in which a thread waits for work: it is not about to do something with the descriptor."""


@dataclass(slots=True)
class _Armed:
    """The call that armed a registration for one event."""

    call: Syscall
    on_demand: bool
    """Whether a read had found nothing before: a runtime that arms only for somebody who waits right now."""


@dataclass(slots=True)
class _Fired:
    """A registration that is disarmed, since its one event was reported."""

    entry: Registration
    descriptor: Descriptor
    process: Process
    armed: _Armed
    wait: Syscall
    unread: bool
    last: Syscall | None = None
    """The last call on the descriptor since."""
    taken: Syscall | None = None
    """The last read or accept since."""
    again: Syscall | Begun | None = None
    """The first wait on the set that began after all that."""
    sent: Syscall | None = None
    """What a peer that is traced, too, has sent and nobody has read."""

    @property
    def line(self) -> int:
        """The last line that has to do with the descriptor."""
        return max(self.wait.end_line, self.last.end_line if self.last is not None else 0)

    def touch(self, call: Syscall) -> None:
        """Take note of a call on the descriptor."""
        self.last, self.again = call, None
        if call.name in _TAKES:
            self.taken, self.sent = call, None
            self.unread = False


class OneshotNotRearmed(Rule):
    """EPOLLONESHOT fired, and the loop waits on without EPOLL_CTL_MOD."""

    code = "TD113"
    name = "oneshot-not-rearmed"
    severity = Severity.ERROR
    summary = "a registration with EPOLLONESHOT has fired and is not armed again: nothing more is reported for it"

    def __init__(self) -> None:
        self._used = False
        self._fired: dict[int, _Fired] = {}
        self._fresh: list[_Fired] = []
        """Those after whose last call no wait has begun yet."""
        self._peers: dict[tuple[object, object], _Fired] = {}
        self._rearming: list[EpollSet] = []
        """Sets in which other registrations were armed again."""
        self._reads = self._closes = False
        """Whether such calls are shown at all: a recording may leave them out."""

    @on_call("epoll_ctl")
    def armed(self, action: Action) -> None:
        """Take note of what is armed for one event; whatever is done to a fired one settles it."""
        entry = action.registration
        if entry is None or action.call.failed:
            return
        if self._settle(entry.file) and entry.removed is None and not self._rearms(entry.epoll):
            self._rearming.append(entry.epoll)
        if entry.removed is None and "EPOLLONESHOT" in (entry.events or ()):
            self._used = True
            known: _Armed | None = entry.memory.get(self.name)
            on_demand = known.on_demand if known is not None else _tried(action, entry)
            entry.memory[self.name] = _Armed(action.call, on_demand)

    def _rearms(self, epoll: EpollSet) -> bool:
        return any(known is epoll for known in self._rearming)

    @on_call(*EPOLL_WAITS)
    def waited(self, action: Action) -> None:
        """Note what fires, and that the loop goes on without having armed what had fired."""
        turn = action.round
        if not self._used or turn is None:
            return
        if self._fresh:
            self._wait_again(turn.epoll, action.call)
        for report in turn.reports:
            self._fire(action, report)

    def _wait_again(self, epoll: EpollSet | None, call: Syscall) -> None:
        left = []
        for fired in self._fresh:
            if fired.entry.epoll is epoll and call.line > fired.line:
                fired.again = call
            else:
                left.append(fired)
        self._fresh = left

    def _fire(self, action: Action, report: Readiness) -> None:
        entry, descriptor = report.registration, report.descriptor
        if entry is None or descriptor is None or entry.removed is not None or descriptor.closed is not None:
            return
        armed: _Armed | None = entry.memory.get(self.name)
        asked_for = entry.events or frozenset()
        if armed is None or not {"EPOLLONESHOT", "EPOLLIN"} <= asked_for or len(self._fired) >= _KEPT:
            return
        unread = "EPOLLIN" in report.events
        fired = _Fired(entry, descriptor, action.process, armed, action.call, unread)
        self._fired[id(entry.file)] = fired
        self._fresh.append(fired)
        if (key := _key(entry.file, mirrored=True)) is not None:
            self._peers[key] = fired

    def _settle(self, file: OpenFile) -> bool:
        """Forget a fired registration; return whether there was one."""
        fired = self._fired.pop(id(file), None)
        if fired is None:
            return False
        self._fresh = [other for other in self._fresh if other is not fired]
        key = _key(file, mirrored=True)
        if key is not None:
            self._peers.pop(key, None)
        return True

    @on_traffic(*READS, *WRITES, *_ACCEPTS, "recvmmsg", "sendfile", "splice", "connect")
    def used(self, action: Action) -> None:
        """Note what is done with a fired descriptor, and what its peer sends."""
        if not self._fired or action.descriptor is None:
            return
        file, call = action.descriptor.file, action.call
        fired = self._fired.get(id(file))
        self._reads = self._reads or call.name in _TAKES
        if fired is not None:
            fired.touch(call)
            if all(other is not fired for other in self._fresh):
                self._fresh.append(fired)
        elif call.name in WRITES or call.name == "connect":
            self._sent(file, call)

    def _sent(self, file: OpenFile, call: Syscall) -> None:
        connects = call.name == "connect"
        if call.failed and not (connects and call.errno == "EINPROGRESS"):
            return
        address = file.socket.peer if connects and file.socket is not None else None
        key = _backlog(address) if connects else _key(file, mirrored=False)
        fired = None if key is None else self._peers.get(key)
        if fired is None or fired.entry.file is file or self._fired.get(id(fired.entry.file)) is not fired:
            return
        # A read that was under way when it began may have got it.
        if fired.sent is None and call.line > fired.line:
            fired.sent = call

    @on_release
    def released(self, action: Action) -> None:
        """A close settles it; the end of the process does not."""
        if isinstance(action.event, Exit):
            return
        self._closes = True
        for descriptor in action.released:
            fired = self._fired.get(id(descriptor.file))
            if fired is not None and fired.descriptor is descriptor:
                self._settle(descriptor.file)

    @on_call("exit_group")
    def leaving(self, action: Action) -> Iterator[Finding]:
        """Judge while the other threads can still be seen."""
        if self._fired:
            yield from self._judge_all(action.kernel, action.process, action.thread)

    @on_exit
    def killed(self, action: Action) -> Iterator[Finding]:
        """Judge where a signal ends the process."""
        if self._fired and isinstance(action.event, Exit) and action.event.signal is not None:
            yield from self._judge_all(action.kernel, action.process, action.thread)

    @on_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge what is left where the trace ends."""
        for process in {id(fired.process): fired.process for fired in self._fired.values()}.values():
            yield from self._judge_all(kernel, process, None)

    def _judge_all(self, kernel: Kernel, process: Process, leaving: Thread | None) -> Iterator[Finding]:
        mine = [fired for fired in self._fired.values() if fired.process is process]
        for fired in mine:
            self._settle(fired.entry.file)
        others = [thread for thread in process.threads if thread is not leaving]
        if len(others) + (leaving is not None) > 1 and any(_is_busy(thread) for thread in others):
            return  # one of them may be about to arm it
        if process.started is None and sum(known.started is None for known in kernel.processes) > 1:
            return  # a trace that begins in the middle does not tell threads from processes
        excerpt = is_excerpt(kernel)
        for fired in mine:
            fired.again = fired.again or _waiting(others, fired)
            hidden = kernel.elided > fired.wait.line or not (excerpt or self._shows(fired))
            verdict = None if fired.again is None or hidden else self._verdict(fired)
            if verdict is not None:
                yield self._finding(fired, *verdict, last_line(kernel))

    def _shows(self, fired: _Fired) -> bool:
        """Whether the recording would show what the finding says has not been done."""
        closes = self._closes or bool(fired.process.table.last_closed)
        return closes and (self._reads or not fired.unread)

    def _verdict(self, fired: _Fired) -> tuple[Severity, Confidence] | None:
        """Say how bad and how sure it is; None where the program may well want it so."""
        rearms = self._rearms(fired.entry.epoll)
        if fired.sent is not None or (fired.unread and fired.entry.file.kind is Kind.SOCKET):
            if fired.armed.on_demand and fired.sent is None:
                return None  # whoever waited for it has given up
            choosy = rearms or fired.armed.on_demand
            if choosy and (fired.armed.on_demand or _has_upstream(fired.process)):
                return Severity.WARNING, Confidence.LIKELY  # it may hold its peer off on purpose
            sure = fired.entry.added is not None and not choosy
            return Severity.ERROR, Confidence.CERTAIN if sure else Confidence.LIKELY
        last = fired.last
        if last is None or fired.taken is None or last.result == 0:
            return None
        if last.errno == "EAGAIN":
            return Severity.WARNING, Confidence.LIKELY
        # A program that arms only what it is waiting for leaves an idle connection disarmed, and rightly so.
        if last.failed or rearms or fired.armed.on_demand:
            return None
        if last is fired.taken and _is_full(last):
            return Severity.ERROR, Confidence.LIKELY
        if last.name in READS and _has_upstream(fired.process):
            return None
        return Severity.WARNING, Confidence.LIKELY

    def _finding(self, fired: _Fired, severity: Severity, confidence: Confidence, end: int) -> Finding:
        number, entry = fired.entry.number, fired.entry
        what = (
            "a new connection" if entry.file.socket is not None and entry.file.socket.accepting else "what comes next"
        )
        absent = no(f"EPOLL_CTL_MOD or close of fd {number}", fired.wait, end)
        return self.finding(
            _story(fired),
            object=describe(fired.descriptor),
            title="a descriptor watched with EPOLLONESHOT has fired and was not armed again",
            severity=severity,
            confidence=confidence,
            absent=[absent],
            why="with EPOLLONESHOT a registration is disabled once an event has been reported, and stays so until"
            " EPOLL_CTL_MOD arms it again: epoll_ctl(2)",
            fix=f"when fd {number} has been served, on every path arm it again with EPOLL_CTL_MOD, or close it:"
            f" {what} is reported only then",
        )


def _story(fired: _Fired) -> Iterator[Step]:
    number = fired.entry.number
    yield step(fired.armed.call, f"the epoll set watches fd {number} for one event (EPOLLONESHOT)")
    yield step(fired.wait, f"fd {number} is reported, and thereby disarmed", primary=True)
    if fired.taken is not None:
        yield step(fired.taken, _result_of(fired.taken))
    if fired.last is not None and fired.last is not fired.taken:
        yield step(fired.last, f"{'answered' if fired.last.name in WRITES else 'served'}, and not armed again")
    if fired.again is not None and all(fired.again is not told for told in (fired.wait, fired.taken)):
        left = f", fd {number} unread and" if fired.unread else f", fd {number}"
        yield step(fired.again, f"the loop waits again{left} disarmed")
    if fired.sent is not None:
        note = "a client connects" if fired.sent.name == "connect" else "the peer sends"
        yield step(fired.sent, f"{note}: nobody is told")


def _result_of(call: Syscall) -> str:
    if call.errno == "EAGAIN":
        return "nothing more for now"
    if call.failed:
        return f"{call.name} fails"
    if call.name in _ACCEPTS:
        return "one connection is taken"
    return "the buffer is full: there may be more" if _is_full(call) else "what has come so far is read"


def _is_full(call: Syscall) -> bool:
    return call.name in READS and bool(call.result) and call.result == asked(call)


def _key(file: OpenFile, *, mirrored: bool) -> tuple[object, object] | None:
    """Return what a descriptor has in common with its other end, as that one's or as its own."""
    if file.pipe is not None:
        return ("pipe", id(file.pipe.pipe))
    socket = file.socket
    if socket is None:
        return None
    made = socket.connected
    if made is not None and made.name == "socketpair":
        return ("pair", (made.pid, made.line))
    if socket.accepting:
        return _backlog(socket.local)
    if socket.local is None or socket.peer is None:
        return None
    return (socket.peer, socket.local) if mirrored else (socket.local, socket.peer)


def _backlog(address: str | None) -> tuple[object, object] | None:
    """Return what a listener has in common with those who connect to it."""
    return None if address is None else ("backlog", address)


def _tried(action: Action, entry: Registration) -> bool:
    """Whether the descriptor was read or accepted from in vain before it was put into the set."""
    if "EPOLL_CTL_ADD" not in names_of(action.call.arg(1)):
        return False
    since = 0 if entry.descriptor.opened is None else entry.descriptor.opened.line
    return any(
        call.errno == "EAGAIN" and call.line > since and call.number(0) == entry.number and call.name in _TAKES
        for call in action.process.failures
    )


def _doing(thread: Thread) -> Syscall | Begun | None:
    """Return the call that a thread is in."""
    last = thread.last_call
    return thread.inside or (last if last is not None and not last.returned else None)


def _is_busy(thread: Thread) -> bool:
    """Whether a thread may be at work; most calls are not looked at, so one that is not seen waiting may be."""
    call, last = _doing(thread), thread.last_call
    if call is not None:
        return call.name not in _IDLE
    return last is None or last.name not in EPOLL_WAITS or (last.result or 0) > 0


def _waiting(threads: list[Thread], fired: _Fired) -> Syscall | Begun | None:
    """Return the wait on the set in which a thread still is, if it began after all that."""
    for thread in threads:
        call = _doing(thread)
        if call is None or call.name not in EPOLL_WAITS or call.line <= fired.line:
            continue
        holder = thread.process.table.get(call.number(0) or -1)
        if holder is not None and holder.file.epoll is fired.entry.epoll:
            return call
    return None


def _has_upstream(process: Process) -> bool:
    """Whether it is a client itself: what a read has brought may be waiting for somebody else's answer."""
    sockets = (descriptor.file.socket for descriptor in process.table)
    return any(socket is not None and socket.connected is not None for socket in sockets)
