"""TD405: a busy loop around a call that fails with EAGAIN."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracediag.evidence.runs import CALLS, Run, confidence, severity_of
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import on_call, on_errno, on_traffic
from tracediag.rules.loop import LoopRule
from tracediag.trace.calls import (
    ACCEPTS,
    CHILD_WAITS,
    FUTEXES,
    IDLES,
    IO_WAITS,
    READS,
    SENDFILES,
    WAITS,
    WRITES,
)
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import plural

_WAITS = WAITS | IDLES | FUTEXES | CHILD_WAITS | IO_WAITS | {"restart_syscall"}
_TRANSFERS = READS | WRITES | ACCEPTS | SENDFILES | {"splice"}


class _Attempts(Run, kw_only=True):
    """Attempts of one thread on one descriptor, with no wait and no success among them.

    Turns aside are transfers on other descriptors that moved data.
    """

    descriptor: Descriptor


class EagainSpin(LoopRule[_Attempts]):
    """A call on a non-blocking descriptor fails with EAGAIN over and over, with no wait in between."""

    code = "TD405"
    name = "eagain-spin"
    severity = Severity.ERROR
    bounds = CALLS
    summary = "a read or write fails with EAGAIN over and over without a wait: the loop uses a whole CPU"

    @on_errno("EAGAIN", "EWOULDBLOCK")
    def not_ready(self, action: Action) -> Iterable[Finding] | None:
        """Count the attempt if it follows the last one closely."""
        call, descriptor, thread = action.call, action.descriptor, action.thread
        if call.name not in _TRANSFERS or descriptor is None:
            return None
        run = self.run(thread, descriptor)
        if run is not None and call.line - run.last.line <= self.bounds.reach(action.kernel):
            run.add(call)
            return None
        found = None if run is None else self.over(call, thread, descriptor)
        self.begin(_Attempts(call, call, descriptor=descriptor), thread, descriptor)
        return found

    @on_traffic(*_TRANSFERS)
    def moved(self, action: Action) -> Iterable[Finding] | None:
        """End the run: data was moved."""
        if action.thread not in self._runs or action.call.errno is not None or action.descriptor is None:
            return None
        over = self.over(action.event, action.thread, action.descriptor)
        for run in self.runs_of(action.thread):
            run.aside += 1
        return over

    @on_call(*_WAITS)
    def waited(self, action: Action) -> Iterable[Finding] | None:
        """End the runs of the thread: it slept, or asked what is ready."""
        return self.all_over(action.event, action.thread) if action.thread in self._runs else None

    def sure(self, run: _Attempts) -> Confidence | None:
        """Return how sure it is that nothing waits: without times, a blocking socket with a timeout looks the same."""
        # A thread that moves data elsewhere between a few attempts may only check this descriptor in passing.
        sure = confidence(run, self.bounds, excerpt=0 if run.aside else self._excerpt)
        if sure is None or _timed(run):
            return None
        if sure is Confidence.POSSIBLE or run.faster(self.bounds.fast):
            return sure
        file = run.descriptor.file
        known = file.flags.has("O_NONBLOCK") or file.socket is None or run.first.has("MSG_DONTWAIT")
        return Confidence.LIKELY if known or run.period is not None else Confidence.POSSIBLE

    def tell(self, run: _Attempts, sure: Confidence) -> Finding:
        """Make the finding."""
        number, call = run.descriptor.number, run.first
        event = "POLLIN" if call.name in READS or call.name in ACCEPTS else "POLLOUT"
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
