"""TD113: an EPOLLONESHOT registration that has fired and is never rearmed."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.steps import last_line, no
from tracediag.evidence.waiters import is_busy, waiting_on
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.epoll import EpollSet, Readiness, Registration
from tracediag.kernel.process import Process, Thread
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_exit, on_release, on_trace_end, on_traffic
from tracediag.rules.epoll._oneshot import TAKES, Armed, Fired, backlog, is_full, other_end, verdict
from tracediag.trace.calls import ACCEPTS, EPOLL_CTLS, EPOLL_WAITS, READS, SENDFILES, WRITES
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit
from tracediag.trace.values import names_of

_MAX_FIRED = 1000
_ARMED_KEPT = 1 << 14
"""Registrations that are known to be armed; one that is forgotten is armed for the first time again."""


class OneshotNotRearmed(Rule):
    """EPOLLONESHOT fired, and the loop waits again without EPOLL_CTL_MOD."""

    code = "TD113"
    name = "oneshot-not-rearmed"
    severity = Severity.ERROR
    summary = "an EPOLLONESHOT registration has fired and is never rearmed: nothing more is reported"
    rests_on = EPOLL_CTLS | {"close"}

    def __init__(self) -> None:
        self._used = False
        self._armed: Cases[Registration, Armed] = Cases(_ARMED_KEPT)
        self._fired: Cases[OpenFile, Fired] = Cases(outlive=True)
        self._fresh: Cases[OpenFile, Fired] = Cases(outlive=True)
        """Those whose last call no wait has followed yet."""
        self._peers: dict[tuple[object, object], Fired] = {}
        self._rearming: list[EpollSet] = []
        """Sets in which other registrations were rearmed."""
        self._reads = self._closes = False
        """Whether such calls are shown at all: a recording may leave them out."""

    @on_call("epoll_ctl")
    def armed(self, action: Action) -> None:
        """Note what is armed for one event; any epoll_ctl on a fired one settles it."""
        entry = action.registration
        if entry is None or action.call.failed:
            return
        if self._settle(entry.file) and entry.removed is None and not self._rearms(entry.epoll):
            self._rearming.append(entry.epoll)
        if entry.removed is not None:
            self._armed.pop(entry)
        elif "EPOLLONESHOT" in (entry.events or ()):
            self._used = True
            known = self._armed.get(entry)
            on_demand = known.on_demand if known is not None else _tried(action, entry)
            self._armed[entry] = Armed(action.call, on_demand)

    def _rearms(self, epoll: EpollSet) -> bool:
        return any(known is epoll for known in self._rearming)

    @on_call(*EPOLL_WAITS)
    def waited(self, action: Action) -> None:
        """Note what fires, and that the loop waits again without having rearmed it."""
        turn = action.round
        if not self._used or turn is None:
            return
        if self._fresh:
            self._wait_again(turn.epoll, action.call)
        for report in turn.reports:
            self._fire(action, report)

    def _wait_again(self, epoll: EpollSet | None, call: Syscall) -> None:
        for key, fired in list(self._fresh.items()):
            if fired.entry.epoll is epoll and call.line > fired.line:
                fired.again = call
                del self._fresh[key]

    def _fire(self, action: Action, report: Readiness) -> None:
        entry, descriptor = report.registration, report.descriptor
        if entry is None or descriptor is None or entry.removed is not None or descriptor.closed is not None:
            return
        armed = self._armed.get(entry)
        asked_for = entry.events or frozenset()
        if armed is None or not {"EPOLLONESHOT", "EPOLLIN"} <= asked_for or len(self._fired) >= _MAX_FIRED:
            return
        unread = "EPOLLIN" in report.events
        fired = Fired(entry, descriptor, action.process, armed, action.call, unread)
        self._fired[entry.file] = self._fresh[entry.file] = fired
        if (key := other_end(entry.file, mirrored=True)) is not None:
            self._peers[key] = fired

    def _settle(self, file: OpenFile) -> bool:
        """Forget a fired registration; return whether there was one."""
        fired = self._fired.pop(file, None)
        if fired is None:
            return False
        self._fresh.pop(file, None)
        key = other_end(file, mirrored=True)
        if key is not None:
            self._peers.pop(key, None)
        return True

    @on_traffic(*READS, *WRITES, *ACCEPTS, *SENDFILES, "splice", "connect", given="_fired")
    def used(self, action: Action) -> None:
        """Note the calls on a fired descriptor, and what its peer sends."""
        if action.descriptor is None:
            return
        file, call = action.descriptor.file, action.call
        fired = self._fired.get(file)
        self._reads = self._reads or call.name in TAKES
        if fired is not None:
            fired.touch(call)
            self._fresh[file] = fired
        elif call.name in WRITES or call.name == "connect":
            self._sent(file, call)

    def _sent(self, file: OpenFile, call: Syscall) -> None:
        connects = call.name == "connect"
        if call.failed and not (connects and call.errno == "EINPROGRESS"):
            return
        address = file.socket.peer if connects and file.socket is not None else None
        key = backlog(address) if connects else other_end(file, mirrored=False)
        fired = None if key is None else self._peers.get(key)
        if fired is None or fired.entry.file is file or self._fired.get(fired.entry.file) is not fired:
            return
        # A read that was in progress when the send began may have got the data.
        if fired.sent is None and call.line > fired.line:
            fired.sent = call
            fired.request = None if file.socket is None else file.socket.reply

    @on_release
    def released(self, action: Action) -> None:
        """Settle it by a close; the end of the process does not."""
        if isinstance(action.event, Exit):
            return
        self._closes = True
        for descriptor in action.released:
            fired = self._fired.get(descriptor.file)
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

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge what is left at the end of the trace."""
        for process in dict.fromkeys(fired.process for fired in self._fired.values()):
            yield from self._judge_all(kernel, process, None)

    def _judge_all(self, kernel: Kernel, process: Process, leaving: Thread | None) -> Iterator[Finding]:
        mine = [fired for fired in self._fired.values() if fired.process.current is process]
        for fired in mine:
            self._settle(fired.entry.file)
        others = [thread for thread in process.threads if thread is not leaving]
        if len(others) + (leaving is not None) > 1 and any(is_busy(thread) for thread in others):
            return  # one of them may be about to rearm it
        if self.scope.may_share(process, min((fired.line for fired in mine), default=0)):
            return  # in a trace that begins in the middle, threads and processes look alike
        excerpt = self.scope.is_excerpt
        for fired in mine:
            waits = (waiting_on(fired.entry.epoll, thread) for thread in others)
            fired.again = fired.again or next((call for call in waits if call and call.line > fired.line), None)
            hidden = kernel.elided > fired.wait.line or not (excerpt or self._shows(fired))
            judged = None if fired.again is None or hidden else verdict(fired, rearms=self._rearms(fired.entry.epoll))
            if judged is not None:
                yield self._finding(fired, *judged, last_line(kernel))

    def _shows(self, fired: Fired) -> bool:
        """Whether the recording would show what the finding says has not been done."""
        closes = self._closes or bool(fired.process.table.last_closed)
        return closes and (self._reads or not fired.unread)

    def _finding(self, fired: Fired, severity: Severity, confidence: Confidence, end: int) -> Finding:
        number, entry = fired.entry.number, fired.entry
        listens = entry.file.socket is not None and entry.file.socket.accepting
        absent = no(f"EPOLL_CTL_MOD or close of fd {number}", fired.wait, end)
        return self.finding(
            _story(fired),
            object=describe(fired.descriptor),
            title=f"{name(fired.descriptor)} is disarmed after an EPOLLONESHOT event and never rearmed",
            severity=severity,
            confidence=confidence,
            absent=[absent],
            why="EPOLLONESHOT disables a registration once an event has been reported: until EPOLL_CTL_MOD rearms it,"
            " not even a hang-up is reported: epoll_ctl(2)",
            fix=f"rearm fd {number} with EPOLL_CTL_MOD, or close it, on every path that handles its event: until then"
            f" no {'new connection' if listens else 'further data'} is reported",
            explains=[("peer-not-responding", call.line) for call in (fired.request, fired.sent) if call is not None],
        )


def _story(fired: Fired) -> Iterator[Step]:
    number = fired.entry.number
    yield step(fired.armed.call, f"fd {number} is armed for one event (EPOLLONESHOT)")
    yield step(fired.wait, f"fd {number} is reported, which disarms it", primary=True)
    if fired.taken is not None:
        yield step(fired.taken, _result_of(fired.taken))
    if fired.last is not None and fired.last is not fired.taken:
        yield step(fired.last, f"{'answered' if fired.last.name in WRITES else 'served'}, but not rearmed")
    if fired.again is not None and all(fired.again is not shown for shown in (fired.wait, fired.taken)):
        left = f", fd {number} unread and" if fired.unread else f", fd {number}"
        yield step(fired.again, f"the loop waits again{left} disarmed")
    if fired.sent is not None:
        note = "a client connects" if fired.sent.name == "connect" else "the peer sends more"
        yield step(fired.sent, f"{note}: no wait reports this")


def _result_of(call: Syscall) -> str:
    if call.errno == "EAGAIN":
        return "nothing more to read for now" if call.name not in ACCEPTS else "nothing more to accept for now"
    if call.failed:
        return f"{call.name} fails"
    if call.name in ACCEPTS:
        return "one connection is accepted"
    return "the buffer is full: there may be more" if is_full(call) else "what has arrived so far is read"


def _tried(action: Action, entry: Registration) -> bool:
    """Whether a read or accept on the descriptor failed with EAGAIN before it was added to the set."""
    if "EPOLL_CTL_ADD" not in names_of(action.call.arg(1)):
        return False
    since = 0 if entry.descriptor.opened is None else entry.descriptor.opened.line
    return any(
        call.errno == "EAGAIN" and call.line > since and call.number(0) == entry.number and call.name in TAKES
        for call in action.process.failures
    )
