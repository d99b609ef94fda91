"""TD403: a call that a signal broke off, taken for a failure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeGuard

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.complaints import report_step
from tracediag.evidence.exits import end_step
from tracediag.evidence.steps import no
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_followed, on_trace_end
from tracediag.rules.file._interruptions import (
    GIVES,
    ON_DESCRIPTORS,
    QUEUES,
    WAITING,
    Broken,
    complains,
    deliver,
    is_made_again,
    subject,
)
from tracediag.trace.calls import SIGNAL_RETURNS, SYSV_WAITS, WAITS
from tracediag.trace.events import Event, Exit, Signal, Syscall

_NEVER_RESTARTED = WAITS | SYSV_WAITS
"""What SA_RESTART does not help: signal(7), "Interruption of system calls"."""
_ASKED_FOR = frozenset({"SIGINT", "SIGTERM", "SIGQUIT", "SIGALRM"})
"""Signals that are there to break something off: the user's wish, a time-out."""
_IN_PASSING = frozenset({"SIGWINCH", "SIGCONT", "SIGPROF", "SIGVTALRM", "SIGIO", "SIGURG", "SIGALRM", "SIGCHLD"})
"""Signals that have nothing to do with what is read or written; a child's end may well have."""
_INTERVAL = re.compile(r"ITIMER_REAL, \{(?:it_interval=)?\{(?:tv_sec=)?(\d++), (?:tv_usec=)?(\d++)\}").match
_SPAN = 40
"""Events of the thread within which something must come of it."""


class InterruptedCallNotRetried(Rule):
    """EINTR, and the program gives up: it says so, closes the descriptor or ends."""

    code = "TD403"
    name = "interrupted-call-not-retried"
    severity = Severity.ERROR
    summary = "a signal breaks a call off (EINTR), and the program gives up in place of calling again"

    def __init__(self) -> None:
        self._broken: dict[int | None, Broken] = {}
        """By thread: what was broken off and is neither retried nor given up yet."""

    @on_errno("EINTR", "ERESTARTSYS", "ERESTARTNOHAND", "ERESTART_RESTARTBLOCK")
    def interrupted(self, action: Action) -> None:
        """Follow the thread for a while."""
        call, tid = action.call, action.thread.tid
        if call.name not in WAITING or tid in self._broken:
            return
        descriptor = subject(action) if call.name in ON_DESCRIPTORS else None
        self._broken[tid] = Broken(Aftermath(action.process, call), descriptor, call.errno == "EINTR")
        action.kernel.follow(action.thread, self.name)

    @on_call("setitimer")
    def timed(self, action: Action) -> None:
        """A timer that goes off again and again is no time-out."""
        found = _INTERVAL(action.call.body)
        if found is not None:
            action.process.memory[self.name] = (found[1], found[2]) != ("0", "0")

    @on_call(*QUEUES)
    def wanted(self, action: Action) -> None:
        """Calls of which the model takes no notice have to be asked for, or their repetition would not be seen."""

    @on_followed
    def followed(self, action: Action) -> Iterator[Finding]:
        """Look at what the thread does next."""
        broken, event = self._broken.get(action.thread.tid), action.event
        if broken is None or event is broken.call:
            return
        broken.age += 1
        if isinstance(event, Signal):
            deliver(broken, event)
        elif isinstance(event, Syscall) and self._settled(action, broken, event):
            self._forget(action)
        elif isinstance(event, Exit) or broken.age > _SPAN or _exits(event):
            self._forget(action)
            yield from self._judged(broken, event if isinstance(event, Exit) or _exits(event) else None)

    def _settled(self, action: Action, broken: Broken, call: Syscall) -> bool:
        """Take note of a call; return whether all is well: the kernel or the program has called again."""
        if call.name in SIGNAL_RETURNS:
            broken.depth = max(0, broken.depth - 1)
            if broken.depth or broken.seen:
                return False
            broken.seen, broken.returned = call.errno == "EINTR", call
            return not broken.seen and call.result is not None
        if complains(call):
            broken.aftermath.noticed = broken.aftermath.noticed or call
        elif broken.depth == 0 and is_made_again(broken, action):
            broken.aftermath.retried = call
            return True
        elif broken.descriptor is not None and broken.descriptor in action.released:
            broken.closed = call
        return False

    def _forget(self, action: Action) -> None:
        self._broken.pop(action.thread.tid, None)
        action.kernel.leave(action.thread, self.name)

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge what is still open where the trace ends."""
        del kernel
        for broken in self._broken.values():
            yield from self._judged(broken, None)

    def _judged(self, broken: Broken, end: Syscall | Exit | None) -> Iterator[Finding]:
        signal = "" if broken.signal is None else broken.signal.name
        again_and_again = signal == "SIGALRM" and bool(broken.process.memory.get(self.name))
        if signal in _ASKED_FOR and not again_and_again:
            return
        status = None if end is None else _status(end)
        killed = isinstance(end, Exit) and end.signal is not None
        severity = Severity.ERROR if status else Severity.WARNING
        if broken.aftermath.noticed is not None:
            yield self._finding(broken, end, Confidence.CERTAIN, severity)
        elif not broken.seen or killed or signal not in _IN_PASSING or broken.descriptor is None:
            return
        elif broken.closed is not None:
            confidence = Confidence.POSSIBLE if signal == "SIGCHLD" else Confidence.LIKELY
            yield self._finding(broken, end, confidence, severity)
        elif end is not None and signal != "SIGCHLD" and (status or broken.call.name in GIVES):
            yield self._finding(broken, end, Confidence.LIKELY, severity)

    def _finding(
        self, broken: Broken, end: Syscall | Exit | None, confidence: Confidence, severity: Severity
    ) -> Finding:
        call, signal = broken.call, "a signal" if broken.signal is None else broken.signal.name
        outcome = "reported as an error" if broken.aftermath.noticed is not None else "not made again"
        last = end or broken.closed or broken.aftermath.noticed or call
        behind = [known.line for known in (call, broken.returned) if known is not None]
        return self.finding(
            _story(broken, end),
            object=call.name if broken.descriptor is None else describe(broken.descriptor),
            title=f"{call.name} is broken off by {signal} (EINTR), and {outcome}",
            confidence=confidence,
            severity=severity,
            absent=[no(f"second {call.name}", call, last)],
            why="a signal that has a handler breaks off a call that waits: nothing was done, and nothing has failed;"
            " with SA_RESTART the kernel makes most calls again by itself: signal(7), sigaction(2)",
            fix=_fix(broken),
            explains=[("failed-call-behind-exit", line) for line in behind],
        )


def _exits(event: Event) -> TypeGuard[Syscall]:
    return isinstance(event, Syscall) and event.name == "exit_group"


def _status(end: Syscall | Exit) -> int | None:
    return end.status if isinstance(end, Exit) else end.number(0)


def _fix(broken: Broken) -> str:
    call, number = broken.call, None if broken.descriptor is None else broken.descriptor.number
    if call.name == "connect":
        return f"on EINTR wait for POLLOUT on fd {number}, and ask for SO_ERROR: connect goes on without the program"
    place = "" if number is None else f" on fd {number}"
    retry = f"call {call.name}{place} again as long as errno is EINTR"
    if call.name in _NEVER_RESTARTED or broken.signal is None:
        return retry
    handler = f"the handler of {broken.signal.name}"
    where = "" if broken.arranged is None else f" at line {broken.arranged.line}"
    return f"{retry}, or set {handler}{where} with SA_RESTART"


def _story(broken: Broken, end: Syscall | Exit | None) -> Iterator[Step]:
    call, arranged, signal = broken.call, broken.arranged, broken.signal
    if arranged is not None and signal is not None:
        restarts = arranged.has("SA_RESTART")
        helps = f"with SA_RESTART, which {call.name} takes no notice of" if restarts else "without SA_RESTART"
        yield step(arranged, f"{signal.name} gets a handler, {helps}")
    yield step(call, f"{call.name} waits, and is broken off: the program gets EINTR", primary=True)
    if signal is not None:
        yield step(signal, f"{signal.name} comes")
    if broken.aftermath.noticed is not None:
        yield report_step(broken.aftermath.noticed)
    if broken.closed is not None:
        yield step(broken.closed, f"fd {call.number('fd')} is closed, and {call.name} was not called again")
    if end is not None:
        yield end_step(end)
