"""TD515: a timer's signal interrupts a call before it can end, and it starts anew each time."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.steps import plural, repeated
from tracediag.kernel import Action, Kernel
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_call, on_errno, on_signal, on_trace_end
from tracediag.trace.events import Signal, Syscall

_TIMERS = ("SIGALRM", "SIGPROF", "SIGVTALRM")
_FROM_SCRATCH = frozenset({"clone", "clone3", "fork", "vfork", "open", "openat", "openat2", "connect", "mmap", "ioctl"})
"""Calls that lose all that they have done so far: a read that is restarted goes on waiting, and nothing is lost."""

_STORM, _EXCERPT_STORM = 10, 2


class _Run(msgspec.Struct, eq=False):
    """Attempts at one call by one thread, each broken off by a signal."""

    first: Syscall
    last: Syscall
    times: int = 1
    signal: Signal | None = None
    signals: int = 0


class RestartStorm(Rule):
    """A call that a timer interrupts before it can end, so that the kernel starts it over and over."""

    code = "TD515"
    name = "restart-storm"
    severity = Severity.ERROR
    summary = "a timer's signal comes faster than the call that it interrupts: the call is restarted over and over"

    def __init__(self) -> None:
        self._runs: dict[int | None, _Run] = {}

    @on_errno("ERESTARTNOINTR", "ERESTARTSYS")
    def interrupted(self, action: Action) -> None:
        """Count the attempt."""
        call, tid = action.call, action.thread.tid
        if call.name not in _FROM_SCRATCH:
            return
        run = self._runs.get(tid)
        if run is not None and run.first.name == call.name:
            run.times += 1
            run.last = call
        else:
            self._runs[tid] = _Run(call, call)

    @on_signal(*_TIMERS)
    def signalled(self, action: Action) -> None:
        """Note the signal that broke the attempt off."""
        run = self._runs.get(action.thread.tid)
        if run is not None and isinstance(action.event, Signal):
            run.signal = run.signal or action.event
            run.signals += 1

    @on_call(*_FROM_SCRATCH - {"open", "openat", "mmap", "ioctl"})
    def done(self, action: Action) -> Iterator[Finding]:
        """The call has ended at last."""
        run = self._runs.get(action.thread.tid)
        if run is None or action.call.name != run.first.name or (action.call.errno or "").startswith("ERESTART"):
            return
        del self._runs[action.thread.tid]
        if run.times >= _STORM and run.signals:
            yield self._finding(run, action.call, Confidence.CERTAIN)

    @on_trace_end
    def ended(self, _: Kernel) -> Iterator[Finding]:
        """Tell of the storms that last to the end of the trace."""
        for run in self._runs.values():
            if run.signals and run.times >= _STORM:
                yield self._finding(run, None, Confidence.CERTAIN)
            elif run.signals and run.times >= _EXCERPT_STORM and self.scope.is_excerpt:
                yield self._finding(run, None, Confidence.POSSIBLE)

    def _finding(self, run: _Run, done: Syscall | None, confidence: Confidence) -> Finding:
        name, signal = run.first.name, run.signal
        assert signal is not None
        again = ", if this repeats" if confidence is Confidence.POSSIBLE else ""
        steps = [
            step(run.first, f"{name} is broken off, to be started anew", primary=True),
            step(signal, f"{signal.name} comes before {name} has ended"),
            repeated(run.last, f"{name} has got no further", 1, run.last.line),
        ]
        if done is not None:
            steps.append(step(done, f"{name} ends at last"))
        return self.finding(
            steps,
            object=f"{name} under {signal.name}",
            title=f"{signal.name} comes faster than {name} can end: {plural(run.times, 'attempt')}{again}",
            severity=Severity.ERROR if done is None else Severity.WARNING,
            confidence=confidence,
            why=f"a signal that is pending when {name} has still work to do makes the kernel undo it and start it from"
            " the beginning: ERESTARTNOINTR in kernel/fork.c, signal(7)",
            fix=f"block {signal.name} around {name} with sigprocmask, or stop the timer meanwhile, or make it slower",
        )
