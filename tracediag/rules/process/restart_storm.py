"""TD515: a timer signal interrupts a call before it completes, and the call restarts each time."""

from __future__ import annotations

from collections.abc import Iterable

from tracediag.evidence.runs import RESTARTS, Run
from tracediag.kernel import Action
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import on_call, on_errno, on_signal
from tracediag.rules.loop import LoopRule
from tracediag.trace.calls import FORKS, MAPS, OPENS
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import count, plural
from tracediag.trace.records import Signal

_TIMERS = ("SIGALRM", "SIGPROF", "SIGVTALRM")
_FROM_SCRATCH = FORKS | OPENS | MAPS | {"connect", "ioctl"}
"""Calls that lose their work when they restart; a restarted read only continues to wait, and loses nothing."""


class _Attempts(Run, kw_only=True):
    """Attempts at one call by one thread, each interrupted by a signal."""

    signal: Signal | None = None


class RestartStorm(LoopRule[_Attempts]):
    """A call that a timer interrupts before it completes, so that the kernel restarts it over and over."""

    code = "TD515"
    name = "restart-storm"
    severity = Severity.ERROR
    bounds = RESTARTS
    summary = "a timer signal arrives faster than the interrupted call can complete: the call restarts over and over"

    @on_errno("ERESTARTNOINTR", "ERESTARTSYS", of=_FROM_SCRATCH)
    def interrupted(self, action: Action) -> None:
        """Count the attempt."""
        call, run = action.call, self.run(action.thread)
        if run is not None and run.first.name == call.name:
            run.add(call)
        else:
            self.begin(_Attempts(call, call), action.thread)

    @on_signal(*_TIMERS)
    def signalled(self, action: Action) -> None:
        """Note the signal that interrupted the attempt."""
        run = self.run(action.thread)
        if run is not None and run.signal is None and isinstance(action.event, Signal):
            run.signal = action.event

    @on_call(*FORKS, "openat2", "connect")
    def done(self, action: Action) -> Iterable[Finding]:
        """End the run: the call has completed."""
        run = self.run(action.thread)
        if run is None or action.call.name != run.first.name or (action.call.errno or "").startswith("ERESTART"):
            return ()
        return self.over(action.event, action.thread)

    def tell(self, run: _Attempts, sure: Confidence) -> Finding | None:
        """Make the finding, if it was a timer."""
        if run.signal is None:
            return None
        name, signal = run.first.name, run.signal
        done = run.ended if isinstance(run.ended, Syscall) else None
        seen = f"{signal.name} arrives faster than {name} can complete: {plural(run.times, 'attempt')}"
        steps = [
            step(run.first, f"{name} is interrupted, to be restarted", primary=True),
            step(signal, f"{signal.name} arrives before {name} completes"),
            step(run.last, f"{name} is interrupted again: attempt {count(run.times)}"),
        ]
        if done is not None:
            steps.append(step(done, f"{name} completes"))
        return self.finding(
            steps,
            object=f"{name} under {signal.name}",
            title=self.titled(run, f"{name} never completes", seen),
            severity=Severity.ERROR if done is None else Severity.WARNING,
            confidence=sure,
            why=f"a signal that arrives before {name} completes makes the kernel undo its work and restart it from the"
            f" beginning: {'copy_process() in kernel/fork.c' if name in FORKS else 'signal(7)'}",
            fix=f"block {signal.name} around {name} with sigprocmask, stop the timer during the call, or lengthen its"
            " interval",
        )
