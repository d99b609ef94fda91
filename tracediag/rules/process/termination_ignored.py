"""TD514: SIGTERM without effect, until SIGKILL."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.names import process_name
from tracediag.evidence.steps import no
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.signals import Disposition
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end, on_signal
from tracediag.trace.calls import EXITS, SIGNAL_RETURNS, WRITES
from tracediag.trace.events import Event, Syscall
from tracediag.trace.quantities import seconds
from tracediag.trace.records import Exit, Signal
from tracediag.trace.values import names_of

_CHANCE = 0.1
"""Seconds that a process should have to exit."""


class TerminationIgnored(Rule):
    """A process that SIGTERM does not end, so that SIGKILL has to."""

    code = "TD514"
    name = "termination-ignored"
    severity = Severity.WARNING
    summary = "SIGTERM does not end a process, which is killed with SIGKILL later"

    def __init__(self) -> None:
        self._asked: Cases[Process, Signal] = Cases()
        """The first SIGTERM that each process received."""
        self._sent: Cases[Process, Syscall] = Cases()
        """The kill by which another process sent SIGTERM, delivered or not."""
        self._met: Cases[Process, Disposition | None] = Cases()
        """What it did about SIGTERM when the first one was delivered: a handler may restore the default action."""
        self._handled: Cases[Process, None] = Cases()
        """Processes in which a handler has returned after SIGTERM."""

    @on_signal("SIGTERM")
    def asked(self, action: Action) -> None:
        """Remember the first request."""
        assert isinstance(action.event, Signal)
        if action.process not in self._asked:
            self._asked[action.process] = action.event
            self._met[action.process] = action.process.signals.get("SIGTERM")

    @on_call("kill")
    def sent(self, action: Action) -> None:
        """Remember a request to a process that may have blocked the signal."""
        if action.call.result != 0 or "SIGTERM" not in names_of(action.call.arg(1)):
            return
        target = action.kernel.process_table.find(action.call.number(0))
        if target is not None and target.process is not action.process:
            self._sent.setdefault(target.process, action.call)

    @on_process_end
    def ended(self, last: ProcessEnd) -> Iterator[Finding]:
        """Judge a process that is killed after a request to end; in an excerpt, one that keeps running."""
        process, end = last.process, last.exit
        if end is not None and end.signal == "SIGKILL":
            request: Event | None = self._asked.get(process) or self._sent.get(process)
            if request is not None and not _immediate(request, end) and self._had_a_chance(last, request):
                yield self._finding(process, request, end)
        elif end is None and self.scope.is_excerpt:
            yield from self._survived(process)

    def _had_a_chance(self, last: ProcessEnd, request: Event) -> bool:
        """Whether a process kept running after SIGTERM, and was not in the middle of exiting when SIGKILL came.

        Without times only its own calls tell: an ignored signal, and one without effect, lets a call begin that the
        signal had interrupted, and a handler returns.
        """
        process, end = last.process, last.exit
        if not isinstance(request, Signal) or (request.time is not None and end is not None and end.time is not None):
            return True
        if self._met.get(process) is Disposition.HANDLED:
            return process in self._handled
        latest = None if last.thread is None else last.thread.pending or last.thread.last_call
        return latest is not None and latest.line > request.line

    @on_call(*SIGNAL_RETURNS)
    def handled(self, action: Action) -> None:
        """Note that a handler has run: the rest is up to the program."""
        if action.process in self._asked:
            self._handled[action.process] = None

    def _survived(self, process: Process) -> Iterator[Finding]:
        request = self._asked.get(process)
        after = next((thread.last_call for thread in process.threads if thread.last_call is not None), None)
        unheard = self._met.get(process) is not Disposition.HANDLED and process not in self._handled
        if unheard and request is not None and _runs_on(after, request):
            yield self._finding(process, request, after)

    def _finding(self, process: Process, request: Event, end: Exit | Syscall | None) -> Finding:
        delivered = isinstance(request, Signal)
        disposition = self._met.get(process) if delivered else process.signals.get("SIGTERM")
        asked = self._sent.get(process)
        steps = list(_arranged(process))
        if asked is not None:
            steps.append(step(asked, "SIGTERM is sent to the process", primary=not delivered))
        if isinstance(request, Signal):
            steps.append(step(request, f"SIGTERM is delivered{_effect(disposition)}", primary=True))
        killed = isinstance(end, Exit)
        if isinstance(end, Exit):
            steps.append(step(end, f"SIGKILL ends the process{_later(request, end)}"))
        elif end is not None:
            steps.append(step(end, "the process is still running"))
        cause = _cause(disposition, delivered=delivered)
        return self.finding(
            steps,
            object=process_name(process),
            title=f"{cause}{'; only SIGKILL ends the process' if killed else ''}",
            confidence=_sure(delivered=delivered, killed=killed),
            absent=[] if end is None else [no("exit of the process", request, end)],
            why=_why(disposition, delivered=delivered),
            fix=_fix(disposition, delivered=delivered),
            explains=[("killed-from-outside", event.line) for event in (request, end) if event is not None],
        )


def _immediate(request: Event, end: Exit) -> bool:
    """Whether SIGKILL follows so soon that the process had no time to exit."""
    return request.time is not None and end.time is not None and end.time - request.time < _CHANCE


def _runs_on(after: Syscall | None, request: Signal) -> bool:
    """Whether a call shows that the process keeps running: an exit does not, nor does the write of a handler."""
    if after is None or after.line <= request.line or after.name in EXITS:
        return False
    return after.name not in WRITES or after.line > request.line + 1


def _sure(*, delivered: bool, killed: bool) -> Confidence:
    if not killed:
        return Confidence.POSSIBLE
    return Confidence.CERTAIN if delivered else Confidence.LIKELY


def _arranged(process: Process) -> Iterator[Step]:
    arranged: Syscall | None = process.signals.set_by.get("SIGTERM")
    match process.signals.get("SIGTERM"):
        case Disposition.IGNORED if arranged is not None:
            yield step(arranged, "SIGTERM is ignored from here on")
        case Disposition.HANDLED if arranged is not None:
            yield step(arranged, "a handler for SIGTERM is installed")


def _effect(disposition: Disposition | None) -> str:
    match disposition:
        case Disposition.IGNORED:
            return " and ignored"
        case Disposition.HANDLED:
            return ": the handler runs, and the process keeps running"
        case _:
            return ", and the process keeps running"


def _cause(disposition: Disposition | None, *, delivered: bool) -> str:
    if not delivered:
        return "SIGTERM is not delivered"
    match disposition:
        case Disposition.IGNORED:
            return "SIGTERM is ignored"
        case Disposition.HANDLED:
            return "the SIGTERM handler returns, and the process keeps running"
        case _:
            return "SIGTERM has no effect, as on PID 1 of a container"


def _later(request: Event, end: Exit) -> str:
    if request.time is None or end.time is None or end.time <= request.time:
        return ""
    return f", {seconds(end.time - request.time)} later"


def _why(disposition: Disposition | None, *, delivered: bool) -> str:
    if not delivered:
        return "a blocked signal stays pending until it is unblocked: signal(7), sigprocmask(2)"
    match disposition:
        case Disposition.IGNORED:
            return "an ignored signal stays ignored across fork and execve: signal(7)"
        case Disposition.HANDLED:
            return "under SA_RESTART a blocking call resumes after the handler, and a flag goes unchecked: signal(7)"
        case _:
            return "PID 1 of a PID namespace receives only the signals that it has handlers for: pid_namespaces(7)"


def _fix(disposition: Disposition | None, *, delivered: bool) -> str:
    if not delivered:
        return "unblock SIGTERM (sigprocmask with SIG_UNBLOCK), or receive it with signalfd or sigwait"
    match disposition:
        case Disposition.IGNORED:
            return "restore the default action before the work starts or before execve: signal(SIGTERM, SIG_DFL)"
        case Disposition.HANDLED:
            return "make the handler wake the main loop (a flag that the loop checks, signalfd, a pipe), and exit there"
        case _:
            return "install a SIGTERM handler that exits, or run an init as PID 1: docker run --init, tini"
