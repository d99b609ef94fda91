"""TD405: a busy loop around a call that fails with EAGAIN."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracediag.evidence.call_table import CallTable, closer
from tracediag.evidence.runs import CALLS, READY_AGAIN, Run, confidence, severity_of
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import on_call, on_errno, on_table, on_traffic
from tracediag.rules.loop import LoopRule
from tracediag.trace.calls import ACCEPTS, CHILD_WAITS, FUTEXES, IDLES, IO_WAITS, READS, SENDFILES, WAITS, WRITES
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import count, plural

_WAITS = WAITS | IDLES | FUTEXES | CHILD_WAITS | IO_WAITS | {"restart_syscall"}
_READY = "ready"
"""Second half of the key of a run of turns in which a wait reports the descriptor."""
_READABLE = frozenset({"EPOLLIN", "POLLIN"})
_WRITABLE = frozenset({"EPOLLOUT", "POLLOUT"})
_TRANSFERS = READS | WRITES | ACCEPTS | SENDFILES | {"splice"}


class _Attempts(Run, kw_only=True):
    """Attempts of one thread on one descriptor, with no wait and no success among them.

    Turns aside are transfers on other descriptors that moved data.
    """

    descriptor: Descriptor
    wait: Syscall | None = None
    """The wait that reported it ready before the last attempt; None for attempts without a wait."""


class EagainSpin(LoopRule[_Attempts]):
    """A call on a non-blocking descriptor fails with EAGAIN over and over, with no wait in between."""

    code = "TD405"
    name = "eagain-spin"
    severity = Severity.ERROR
    bounds = CALLS
    summary = "a read or write fails with EAGAIN over and over without a wait: the loop uses a whole CPU"
    rests_on = WAITS
    rests_on_successes = True

    @on_table
    def counted(self, table: CallTable) -> Iterator[Finding]:
        """Judge the transfers that nearly always fail, by their number alone."""
        waited = table.made(_WAITS)
        for row in table:
            if row.name not in _TRANSFERS or not table.fails(row) or 2 * waited >= row.calls:
                continue
            yield self.finding(
                [row.step(primary=True)],
                object=row.name,
                title=f"{row.name} fails {count(row.errors)} of {count(row.calls)} times, without a wait between"
                " attempts: perhaps EAGAIN in a busy loop",
                severity=Severity.WARNING,
                confidence=Confidence.POSSIBLE,
                why=f"on a non-blocking descriptor {row.name} fails with EAGAIN until there is something to do; poll(2)"
                " waits for that",
                fix=f"record the error: {closer(row.name)}",
            )

    @on_errno("EAGAIN", "EWOULDBLOCK")
    def not_ready(self, action: Action) -> Iterable[Finding] | None:
        """Count the attempt if it follows the last one closely."""
        call, descriptor, thread = action.call, action.descriptor, action.thread
        if call.name not in _TRANSFERS or descriptor is None:
            return None
        if call.name not in ACCEPTS and (wait := _reported_by(action, descriptor)) is not None:
            self._ready(action, descriptor, wait)
        run = self.run(thread, descriptor)
        if run is not None and call.line - run.last.line <= self.bounds.reach(action.kernel):
            run.add(call)
            return None
        found = None if run is None else self.over(call, thread, descriptor)
        self.begin(_Attempts(call, call, descriptor=descriptor), thread, descriptor)
        return found

    def _ready(self, action: Action, descriptor: Descriptor, wait: Syscall) -> None:
        """Count a turn of a loop in which the descriptor was reported ready, and the first attempt fails."""
        key = (descriptor, _READY)
        run = self.run(action.thread, key)
        if run is None:
            made = _Attempts(action.call, action.call, descriptor=descriptor, wait=wait)
            self.begin(made, action.thread, key)
        elif run.wait is not wait:
            run.add(action.call)
            run.wait = wait

    @on_traffic(*_TRANSFERS, given="_runs")
    def moved(self, action: Action) -> Iterable[Finding] | None:
        """End the run: data was moved."""
        if action.thread not in self._runs or action.call.errno is not None or action.descriptor is None:
            return None
        over = [
            *self.over(action.event, action.thread, action.descriptor),
            *self.over(action.event, action.thread, (action.descriptor, _READY)),
        ]
        for run in self.runs_of(action.thread):
            run.aside += 1
        return over

    @on_call(*_WAITS)
    def waited(self, action: Action) -> Iterable[Finding] | None:
        """End the runs of the thread: it slept, or asked what is ready; what is ready again is counted on."""
        if action.thread not in self._runs:
            return None
        ready = action.call.name in WAITS and (action.call.result or 0) > 0
        kept = [(run.descriptor, run) for run in self.runs_of(action.thread) if ready and run.wait is not None]
        for descriptor, _ in kept:
            self.drop(action.thread, (descriptor, _READY))
        found = self.all_over(action.event, action.thread)
        for descriptor, run in kept:
            self.begin(run, action.thread, (descriptor, _READY))
        return found

    def sure(self, run: _Attempts) -> Confidence | None:
        """Return how sure it is that nothing waits: without times, a blocking socket with a timeout looks the same."""
        # A thread that moves data elsewhere between a few attempts may only check this descriptor in passing.
        bounds = self.bounds if run.wait is None else READY_AGAIN
        sure = confidence(run, bounds, excerpt=0 if run.aside else self._excerpt)
        if sure is None or _timed(run):
            return None
        if sure is Confidence.POSSIBLE or run.faster(self.bounds.fast):
            return sure
        file = run.descriptor.file
        known = file.flags.has("O_NONBLOCK") or file.socket is None or run.first.has("MSG_DONTWAIT")
        return Confidence.LIKELY if known or run.period is not None else Confidence.POSSIBLE

    def _never_done(self, run: _Attempts, sure: Confidence) -> Finding:
        """Make the finding of a descriptor that is reported ready in each turn, and not ready when it is used."""
        call, where = run.first, name(run.descriptor)
        seen = (
            f"{call.name} on {where} fails with EAGAIN {plural(run.times, 'time')}, each time after a wait reports it"
        )
        return self.finding(
            [*birth(run.descriptor), run.together("reported ready, and yet EAGAIN", primary=True)],
            object=describe(run.descriptor),
            title=READY_AGAIN.title(run.times, "the loop spins", f"{seen} ready", elided=run.elided),
            severity=severity_of(sure),
            confidence=sure,
            absent=[no(f"{call.name} that succeeds", call, run.last)],
            why="ready means that some bytes fit, not that all do: a write of an undivided message, or of more"
            " than a low-water mark leaves room for, still fails with EAGAIN: unix(7), pipe(7), poll(2)",
            fix=f"pass {call.name} smaller pieces, or wait before the next attempt; read the peer's end sooner",
            explains=[("failing-call-spin", call.line)],
        )

    def tell(self, run: _Attempts, sure: Confidence) -> Finding:
        """Make the finding."""
        number, call = run.descriptor.number, run.first
        event = "POLLIN" if call.name in READS or call.name in ACCEPTS else "POLLOUT"
        if run.wait is not None:
            return self._never_done(run, sure)
        seen = f"{call.name} on {name(run.descriptor)} fails with EAGAIN {plural(run.times, 'time')} without a wait"
        return self.finding(
            _story(run),
            object=describe(run.descriptor),
            title=self.titled(run, "the loop busy-waits", seen),
            severity=severity_of(sure),
            confidence=sure,
            absent=[no(f"poll, select, epoll_wait or sleep before the next {call.name}", call, run.last)],
            why="a call on a non-blocking descriptor that is not ready returns immediately, so a loop around the call"
            " uses a whole CPU, possibly the one that the other end needs: read(2), write(2), poll(2)",
            fix=f"on EAGAIN, wait for {event} on fd {number} with poll or epoll before the next {call.name}, or clear"
            f" O_NONBLOCK on fd {number}",
            explains=[("failing-call-spin", call.line)],
        )


def _reported_by(action: Action, descriptor: Descriptor) -> Syscall | None:
    """Return the wait that has reported the descriptor ready for this call, if the call is the first on it since."""
    wanted = _READABLE if action.call.name in READS else _WRITABLE
    for turn in action.thread.rounds.values():
        for report in turn.reports:
            same = report.descriptor is descriptor or (report.descriptor is None and report.data == descriptor.number)
            if same and report.touched <= 1 and not report.events.isdisjoint(wanted):
                return turn.wait
    return None


def _timed(run: _Attempts) -> bool:
    """Whether EAGAIN may report the timeout of the socket itself, which is a wait: socket(7)."""
    socket = run.descriptor.file.socket
    if socket is None or run.first.has("MSG_DONTWAIT"):
        return False
    if run.descriptor.file.flags.has("O_NONBLOCK") is False:
        return True
    return "SO_RCVTIMEO" in socket.options or "SO_SNDTIMEO" in socket.options


def _story(run: _Attempts) -> Iterator[Step]:
    number, call = run.descriptor.number, run.first
    yield from birth(run.descriptor)
    note = f"fd {number} is not ready, and {call.name} is called again immediately"
    yield run.together(note, primary=True)
    if isinstance(run.ended, Syscall) and run.ended.name not in _TRANSFERS:
        yield step(run.ended, "the thread waits for the first time")
