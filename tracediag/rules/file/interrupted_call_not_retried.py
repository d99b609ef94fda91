"""TD403: an interrupted call that is treated as failed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeGuard

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import Complaint, report_step
from tracediag.evidence.exits import end_step
from tracediag.evidence.steps import no
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe, name
from tracediag.kernel.process import Process, Thread
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_followed, on_trace_end
from tracediag.rules.file._interruptions import (
    INPUTS,
    ON_DESCRIPTORS,
    QUEUES,
    WAITING,
    Interruption,
    by_attach,
    deliver,
    is_report,
    is_retry,
    subject,
)
from tracediag.trace.calls import SIGNAL_RETURNS, SYSV_WAITS, WAITS
from tracediag.trace.events import Event, Syscall
from tracediag.trace.records import Exit, Signal

_NEVER_RESTARTED = WAITS | SYSV_WAITS
"""Calls that SA_RESTART does not restart: signal(7), "Interruption of system calls"."""
_REQUESTS = frozenset({"SIGINT", "SIGTERM", "SIGQUIT", "SIGALRM"})
"""Signals meant to interrupt: a request to stop, a timeout."""
_INCIDENTAL = frozenset({"SIGWINCH", "SIGCONT", "SIGPROF", "SIGVTALRM", "SIGIO", "SIGURG", "SIGALRM", "SIGCHLD"})
"""Signals unrelated to the data that is read or written; SIGCHLD may be related, if the child provides the data."""
_INTERVAL = re.compile(r"ITIMER_REAL, \{(?:it_interval=)?\{(?:tv_sec=)?(\d++), (?:tv_usec=)?(\d++)\}").match
_SPAN = 40
"""Events of the thread within which the program must react."""


class InterruptedCallNotRetried(Rule):
    """A call fails with EINTR, and the program reports an error, closes the descriptor or ends instead of retrying."""

    code = "TD403"
    name = "interrupted-call-not-retried"
    severity = Severity.ERROR
    summary = "a signal interrupts a call (EINTR), and the program does not call again"
    rests_on_successes = True

    def __init__(self) -> None:
        self._open: Cases[Thread, Interruption] = Cases()
        """The interrupted call of a thread, until the program retries it or drops it."""
        self._periodic: Cases[Process, bool] = Cases()
        """Whether the timer that a process has set last is periodic."""

    @on_errno("EINTR", "ERESTARTSYS", "ERESTARTNOHAND", "ERESTART_RESTARTBLOCK")
    def interrupted(self, action: Action) -> None:
        """Follow the thread after an interrupted call."""
        call, thread = action.call, action.thread
        if call.name not in WAITING or thread in self._open:
            return
        descriptor = subject(action) if call.name in ON_DESCRIPTORS else None
        self._open[thread] = Interruption(Aftermath(action.process, call), descriptor, call.errno == "EINTR")
        self.follow(thread)

    @on_call("setitimer")
    def timed(self, action: Action) -> None:
        """Note whether the timer is periodic: then SIGALRM is no timeout."""
        found = _INTERVAL(action.call.body)
        if found is not None:
            self._periodic[action.process] = (found[1], found[2]) != ("0", "0")

    @on_call(*QUEUES)
    def wanted(self, action: Action) -> None:
        """Subscribe to calls that the model does not follow, so that `followed` sees their repetition."""

    @on_followed
    def followed(self, action: Action) -> Iterator[Finding]:
        """Watch what the thread does next."""
        interruption, event = self._open.get(action.thread), action.event
        if interruption is None or event is interruption.call:
            return
        interruption.age += 1
        if isinstance(event, Signal):
            deliver(interruption, event)
        elif isinstance(event, Syscall) and self._settled(action, interruption, event):
            self._forget(action)
        elif isinstance(event, Exit) or interruption.age > _SPAN or _exits(event):
            self._forget(action)
            if by_attach(interruption, action.thread):
                return
            yield from self._judged(interruption, event if isinstance(event, Exit) or _exits(event) else None)

    def _settled(self, action: Action, interruption: Interruption, call: Syscall) -> bool:
        """Note a call; return whether the kernel or the program has restarted the interrupted one."""
        if call.name in SIGNAL_RETURNS:
            interruption.depth = max(0, interruption.depth - 1)
            if interruption.depth or interruption.seen:
                return False
            interruption.seen, interruption.returned = call.errno == "EINTR", call
            return not interruption.seen and call.result is not None
        if is_report(call):
            interruption.aftermath.noticed = interruption.aftermath.noticed or call
        elif interruption.depth == 0 and is_retry(interruption, action):
            interruption.aftermath.retried = call
            return True
        elif interruption.descriptor is not None and interruption.descriptor in action.released:
            interruption.closed = call
        return False

    def _forget(self, action: Action) -> None:
        self._open.pop(action.thread, None)
        self.leave(action.thread)

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge the interrupted calls that are still open when the trace ends."""
        del kernel
        for thread, interruption in self._open.items():
            if not by_attach(interruption, thread):
                yield from self._judged(interruption, None)

    def _judged(self, interruption: Interruption, end: Syscall | Exit | None) -> Iterator[Finding]:
        signal = "" if interruption.signal is None else interruption.signal.name
        periodic = signal == "SIGALRM" and self._periodic.get(interruption.process, False)
        if signal in _REQUESTS and not periodic:
            return
        status = None if end is None else _status(end)
        killed = isinstance(end, Exit) and end.signal is not None
        severity = Severity.ERROR if status else Severity.WARNING
        noticed = interruption.aftermath.noticed
        if noticed is not None:
            sure = Complaint((noticed,)).withheld is None
            yield self._finding(interruption, end, Confidence.CERTAIN if sure else Confidence.LIKELY, severity)
        elif not interruption.seen or killed or interruption.descriptor is None:
            return
        elif signal not in _INCIDENTAL:
            # Another signal may have been meant to interrupt: only the failure of the program shows that it was not.
            if status:
                confidence = Confidence.LIKELY if signal else Confidence.POSSIBLE
                yield self._finding(interruption, end, confidence, severity)
        elif interruption.closed is not None:
            confidence = Confidence.POSSIBLE if signal == "SIGCHLD" else Confidence.LIKELY
            yield self._finding(interruption, end, confidence, severity)
        elif end is not None and signal != "SIGCHLD" and (status or interruption.call.name in INPUTS):
            yield self._finding(interruption, end, Confidence.LIKELY, severity)

    def _finding(
        self, interruption: Interruption, end: Syscall | Exit | None, confidence: Confidence, severity: Severity
    ) -> Finding:
        call, signal = interruption.call, "a signal" if interruption.signal is None else interruption.signal.name
        outcome = "reported as an error" if interruption.aftermath.noticed is not None else "not retried"
        where = "" if interruption.descriptor is None else f" on {name(interruption.descriptor)}"
        last = end or interruption.closed or interruption.aftermath.noticed or call
        failed = [known.line for known in (call, interruption.returned) if known is not None]
        return self.finding(
            _story(interruption, end),
            object=call.name if interruption.descriptor is None else describe(interruption.descriptor),
            title=f"{call.name}{where} is interrupted by {signal} (EINTR) and {outcome}",
            confidence=confidence,
            severity=severity,
            absent=[no(f"second {call.name}", call, last)],
            why="EINTR means that a signal handler ran while the call waited, not that the call failed; with SA_RESTART"
            " the kernel restarts most calls after the handler: signal(7), sigaction(2)",
            fix=_fix(interruption),
            explains=[("failed-call-behind-exit", line) for line in failed],
        )


def _exits(event: Event) -> TypeGuard[Syscall]:
    return isinstance(event, Syscall) and event.name == "exit_group"


def _status(end: Syscall | Exit) -> int | None:
    return end.status if isinstance(end, Exit) else end.number(0)


def _fix(interruption: Interruption) -> str:
    call, number = interruption.call, None if interruption.descriptor is None else interruption.descriptor.number
    if call.name == "connect":
        return f"on EINTR, wait for POLLOUT on fd {number} and read SO_ERROR: the kernel continues the connect"
    place = "" if number is None else f" on fd {number}"
    retry = f"call {call.name}{place} again while errno is EINTR"
    if call.name in _NEVER_RESTARTED or interruption.signal is None:
        return retry
    where = "" if interruption.arranged is None else f" (line {interruption.arranged.line})"
    return f"{retry}, or install the handler of {interruption.signal.name}{where} with SA_RESTART"


def _story(interruption: Interruption, end: Syscall | Exit | None) -> Iterator[Step]:
    call, arranged, signal = interruption.call, interruption.arranged, interruption.signal
    if arranged is not None and signal is not None:
        restarts = arranged.has("SA_RESTART")
        flag = f"with SA_RESTART, which does not apply to {call.name}" if restarts else "without SA_RESTART"
        yield step(arranged, f"a handler for {signal.name} is installed {flag}")
    yield step(call, f"{call.name} is interrupted: the program gets EINTR", primary=True)
    if signal is not None:
        yield step(signal, f"{signal.name} is delivered")
    if interruption.aftermath.noticed is not None:
        yield report_step(interruption.aftermath.noticed)
    if interruption.closed is not None:
        yield step(interruption.closed, f"fd {call.number('fd')} is closed without a retry of {call.name}")
    if end is not None:
        yield end_step(end)
