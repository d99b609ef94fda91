"""TD515: a timer's signal interrupts a call before it can end, and it starts anew each time."""

from __future__ import annotations

from collections.abc import Iterable

from tracediag.evidence.runs import RESTARTS, Run
from tracediag.kernel import Action
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import on_call, on_errno, on_signal
from tracediag.rules.loop import LoopRule
from tracediag.trace.calls import FORKS, MAPS, OPENS
from tracediag.trace.events import Signal, Syscall
from tracediag.trace.quantities import plural

_TIMERS = ("SIGALRM", "SIGPROF", "SIGVTALRM")
_FROM_SCRATCH = FORKS | OPENS | MAPS | {"connect", "ioctl"}
"""Calls that lose all that they have done so far: a read that is restarted goes on waiting, and nothing is lost."""


class _Attempts(Run, kw_only=True):
    """Attempts at one call by one thread, each broken off by a signal."""

    signal: Signal | None = None


class RestartStorm(LoopRule[_Attempts]):
    """A call that a timer interrupts before it can end, so that the kernel starts it over and over."""

    code = "TD515"
    name = "restart-storm"
    severity = Severity.ERROR
    bounds = RESTARTS
    summary = "a timer's signal comes faster than the call that it interrupts: the call is restarted over and over"

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
        """Note the signal that broke the attempt off."""
        run = self.run(action.thread)
        if run is not None and run.signal is None and isinstance(action.event, Signal):
            run.signal = action.event

    @on_call(*FORKS, "openat2", "connect")
    def done(self, action: Action) -> Iterable[Finding]:
        """The call has ended at last."""
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
        seen = f"{signal.name} comes faster than {name} can end: {plural(run.times, 'attempt')}"
        steps = [
            step(run.first, f"{name} is broken off, to be started anew", primary=True),
            step(signal, f"{signal.name} comes before {name} has ended"),
            step(run.last, f"{name} has got no further"),
        ]
        if done is not None:
            steps.append(step(done, f"{name} ends at last"))
        return self.finding(
            steps,
            object=f"{name} under {signal.name}",
            title=self.bounds.title(run.times, f"{name} never completes", seen),
            severity=Severity.ERROR if done is None else Severity.WARNING,
            confidence=sure,
            why=f"a signal that is pending when {name} has still work to do makes the kernel undo it and start it from"
            " the beginning: ERESTARTNOINTR in kernel/fork.c, signal(7)",
            fix=f"block {signal.name} around {name} with sigprocmask, or stop the timer meanwhile, or make it slower",
        )
