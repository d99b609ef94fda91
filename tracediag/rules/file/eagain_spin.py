"""TD405: reading or writing again and again in place of waiting."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.steps import birth, no, plural, repeated
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_exit, on_trace_end, on_traffic
from tracediag.trace.calls import EPOLL_WAITS, POLLS, READS, SELECTS, WRITES
from tracediag.trace.events import Syscall

_WAITS = (*EPOLL_WAITS, *POLLS, *SELECTS, "nanosleep", "clock_nanosleep", "futex", "pause", "rt_sigsuspend")
_WAITS_TOO = ("rt_sigtimedwait", "wait4", "waitid", "io_getevents", "io_uring_enter", "restart_syscall")
_TRANSFERS = READS | WRITES | {"accept", "accept4", "splice", "sendfile", "recvmmsg"}

_CYCLE = 4
"""Lines from one attempt to the next: what does other work meanwhile is no spin."""
_THREADS = 4
"""Threads whose lines may lie between."""
_STORM = 50
_TRIES = 3
"""Attempts that make an excerpt."""
_FAST, _PERIOD = 0.001, 0.005
"""Seconds from one attempt to the next: proof of a spin, and proof of a pause that the trace does not show."""


class _Run(msgspec.Struct, eq=False):
    """Attempts of one thread on one descriptor, with no wait and no success among them."""

    descriptor: Descriptor
    first: Syscall
    last: Syscall
    times: int = 1


class EagainSpin(Rule):
    """A call on a non-blocking descriptor gives EAGAIN over and over, and nobody waits between."""

    code = "TD405"
    name = "eagain-spin"
    severity = Severity.ERROR
    summary = "a read or write gives EAGAIN over and over without a wait: a CPU is burnt"

    def __init__(self) -> None:
        self._runs: dict[int | None, dict[int, _Run]] = {}
        """By thread, and by number of the descriptor."""
        self._moved: dict[int | None, int] = {}
        """The line of the last transfer of each such thread that did come to something."""

    @on_errno("EAGAIN", "EWOULDBLOCK")
    def not_ready(self, action: Action) -> Iterator[Finding] | None:
        """Count the attempt, if it stands close behind the last one."""
        call, descriptor = action.call, action.descriptor
        if call.name not in _TRANSFERS or descriptor is None:
            return None
        runs = self._runs.setdefault(action.thread.tid, {})
        run = runs.get(descriptor.number)
        reach = _CYCLE * min(len(action.process.threads) or 1, _THREADS)
        if run is None or run.descriptor is not descriptor or call.line - run.last.line > reach:
            runs[descriptor.number] = _Run(descriptor, call, call)
            return self._over(run)
        run.last = call
        run.times += 1
        return None

    @on_traffic(*_TRANSFERS)
    def moved(self, action: Action) -> Iterator[Finding] | None:
        """Something has come through: the run is over."""
        runs = self._runs.get(action.thread.tid)
        if not runs or action.call.errno is not None or action.descriptor is None:
            return None
        self._moved[action.thread.tid] = action.call.line
        return self._over(runs.pop(action.descriptor.number, None))

    @on_call(*_WAITS, *_WAITS_TOO)
    def waited(self, action: Action) -> Iterator[Finding] | None:
        """The thread has slept, or has asked for what is ready."""
        runs = self._runs.pop(action.thread.tid, None)
        return self._all(runs, action.call) if runs else None

    @on_exit
    def exited(self, action: Action) -> Iterator[Finding]:
        """The thread makes no more attempts."""
        self._moved.pop(action.thread.tid, None)
        yield from self._all(self._runs.pop(action.thread.tid, {}))

    @on_trace_end
    def ended(self, _: Kernel) -> Iterator[Finding]:
        """The trace is over; a few attempts in a few lines may stand for many."""
        excerpt = self.scope.is_excerpt
        for tid, runs in self._runs.items():
            for run in runs.values():
                # Who gets something elsewhere between a few attempts may look here in passing.
                few = excerpt and self._moved.get(tid, 0) < run.first.line
                yield from self._over(run, least=_TRIES if few else _STORM)

    def _all(self, runs: dict[int, _Run], wait: Syscall | None = None) -> Iterator[Finding]:
        for run in runs.values():
            yield from self._over(run, after=wait)

    def _over(self, run: _Run | None, *, least: int = _STORM, after: Syscall | None = None) -> Iterator[Finding]:
        """Tell of a run that was long and fast enough."""
        if run is None or run.times < least or _timed(run):
            return
        period = _period(run)
        if period is None or period < _PERIOD:
            yield self._finding(run, period, after)

    def _finding(self, run: _Run, period: float | None, after: Syscall | None) -> Finding:
        number, call = run.descriptor.number, run.first
        few = run.times < _STORM
        sure = _sure(run, period)
        event = "POLLIN" if call.name in READS or call.name.startswith("accept") else "POLLOUT"
        title = f"{call.name} on fd {number} gives EAGAIN {plural(run.times, 'time')} without a wait"
        return self.finding(
            _story(run, after),
            object=describe(run.descriptor),
            title=f"{title}: a spin, if this repeats" if few else title,
            severity=Severity.WARNING if few or sure is Confidence.POSSIBLE else Severity.ERROR,
            confidence=Confidence.POSSIBLE if few else sure,
            absent=[no(f"poll, select, epoll_wait or sleep before the next {call.name}", call, run.last)],
            why="on a non-blocking descriptor EAGAIN means that nothing can be moved now; the call returns at once, so"
            " a loop around it burns a CPU until the other end acts: read(2), write(2), poll(2)",
            fix=f"on EAGAIN wait for {event} on fd {number} with poll or epoll before the next {call.name}, or make"
            " the descriptor blocking",
            explains=[("failing-call-spin", call.line)],
        )


def _timed(run: _Run) -> bool:
    """Whether EAGAIN may be the end of a time-out of the socket itself, which is a wait: socket(7)."""
    socket = run.descriptor.file.socket
    if socket is None or "MSG_DONTWAIT" in run.first.body:
        return False
    if run.descriptor.file.flags.has("O_NONBLOCK") is False:
        return True
    return "SO_RCVTIMEO" in socket.options or "SO_SNDTIMEO" in socket.options


def _sure(run: _Run, period: float | None) -> Confidence:
    """Say how sure it is that nothing waits: without times, a blocking socket with a time-out looks the same."""
    if period is not None:
        return Confidence.CERTAIN if period < _FAST else Confidence.LIKELY
    file = run.descriptor.file
    known = file.flags.has("O_NONBLOCK") or file.socket is None or "MSG_DONTWAIT" in run.first.body
    return Confidence.LIKELY if known else Confidence.POSSIBLE


def _period(run: _Run) -> float | None:
    """Return the seconds from one attempt to the next, on average; None where the trace shows no times."""
    first, last = run.first.time, run.last.time
    return None if first is None or last is None else (last - first) / (run.times - 1)


def _story(run: _Run, after: Syscall | None) -> Iterator[Step]:
    number, call = run.descriptor.number, run.first
    yield from birth(run.descriptor)
    note = f"fd {number} is not ready, and {call.name} is called again at once"
    yield repeated(call, note, run.times, run.last.line, primary=True)
    if after is not None:
        yield step(after, "only now the thread waits")
