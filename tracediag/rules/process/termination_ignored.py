"""TD514: SIGTERM without effect, until SIGKILL."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.steps import no
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.signals import Disposition
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end, on_signal
from tracediag.trace.calls import EXITS, SIGNAL_RETURNS
from tracediag.trace.events import Event, Exit, Signal, Syscall
from tracediag.trace.values import names_of

_SENT = "TD514 sent"
"""In the memory of a process: the kill by which another one has sent it SIGTERM, though it was not delivered."""


_CHANCE = 0.1
"""Seconds that a process should have for its end."""
_HANDLED = "TD514 handled"
"""In the memory of a process: a handler has returned after SIGTERM."""


class TerminationIgnored(Rule):
    """A process that SIGTERM does not end, and that is killed in the end."""

    code = "TD514"
    name = "termination-ignored"
    severity = Severity.WARNING
    summary = "SIGTERM has no effect on a process, which is killed with SIGKILL later"

    @on_signal("SIGTERM")
    def asked(self, action: Action) -> None:
        """Remember the first request."""
        action.process.memory.setdefault(self.name, action.event)

    @on_call("kill")
    def sent(self, action: Action) -> None:
        """Remember a request to a process that may have blocked the signal."""
        if action.call.result != 0 or "SIGTERM" not in names_of(action.call.arg(1)):
            return
        target = action.kernel.process_table.threads.get(action.call.number(0))
        if target is not None and target.process is not action.process:
            target.process.memory.setdefault(_SENT, action.call)

    @on_process_end
    def ended(self, last: ProcessEnd) -> Iterator[Finding]:
        """Judge a process that is killed after it was asked to end; in a few lines, one that lives on after that."""
        process, end = last.process, last.exit
        if end is not None and end.signal == "SIGKILL":
            request: Event | None = process.memory.get(self.name) or process.memory.get(_SENT)
            if request is not None and not _at_once(request, end):
                yield self._finding(process, request, end)
        elif end is None and self.scope.is_excerpt:
            yield from self._lives_on(process)

    @on_call(*SIGNAL_RETURNS)
    def handled(self, action: Action) -> None:
        """A handler has run: what comes of it, the program's own logic decides."""
        if self.name in action.process.memory:
            action.process.memory[_HANDLED] = True

    def _lives_on(self, process: Process) -> Iterator[Finding]:
        request = process.memory.get(self.name)
        after = next((thread.last_call for thread in process.threads if thread.last_call is not None), None)
        unheard = process.signals.get("SIGTERM") is not Disposition.HANDLED and _HANDLED not in process.memory
        if unheard and isinstance(request, Signal) and _goes_on(after, request):
            yield self._finding(process, request, after)

    def _finding(self, process: Process, request: Event, end: Exit | Syscall | None) -> Finding:
        disposition = process.signals.get("SIGTERM")
        delivered = isinstance(request, Signal)
        asked = process.memory.get(_SENT)
        steps = list(_reason(process))
        if asked is not None:
            steps.append(step(asked, "the process is asked to end", primary=not delivered))
        if isinstance(request, Signal):
            steps.append(step(request, f"SIGTERM is delivered{_effect(disposition)}", primary=True))
        killed = isinstance(end, Exit)
        if isinstance(end, Exit):
            steps.append(step(end, f"only SIGKILL ends it{_later(request, end)}"))
        elif end is not None:
            steps.append(step(end, "the process goes on"))
        cause = _cause(disposition, delivered=delivered)
        return self.finding(
            steps,
            object="the process" if process.pid is None else f"process {process.pid}",
            title=f"SIGTERM does not end the process{cause}{'; SIGKILL does' if killed else ''}",
            confidence=_sure(delivered=delivered, killed=killed),
            absent=[] if end is None else [no("exit of the process", request, end)],
            why="SIGTERM ends a process by its default action only; ignored, blocked, with a handler that"
            " returns, or sent to PID 1 of a pid namespace, it does nothing: signal(7), pid_namespaces(7)",
            fix=_fix(disposition),
            explains=[("killed-from-outside", event.line) for event in (request, end) if event is not None],
        )


def _at_once(request: Event, end: Exit) -> bool:
    """Whether SIGKILL comes so soon that the process had no time to end."""
    return request.time is not None and end.time is not None and end.time - request.time < _CHANCE


def _goes_on(after: Syscall | None, request: Signal) -> bool:
    """Whether a call shows that the process lives on: one that ends it does not."""
    return after is not None and after.line > request.line and after.name not in EXITS


def _sure(*, delivered: bool, killed: bool) -> Confidence:
    if not killed:
        return Confidence.POSSIBLE
    return Confidence.CERTAIN if delivered else Confidence.LIKELY


def _reason(process: Process) -> Iterator[Step]:
    arranged: Syscall | None = process.signals.set_by.get("SIGTERM")
    match process.signals.get("SIGTERM"):
        case Disposition.IGNORED if arranged is not None:
            yield step(arranged, "SIGTERM is ignored from here on")
        case Disposition.HANDLED if arranged is not None:
            yield step(arranged, "SIGTERM gets a handler")


def _effect(disposition: Disposition | None) -> str:
    match disposition:
        case Disposition.IGNORED:
            return ", and is ignored"
        case Disposition.HANDLED:
            return ": the handler runs, and the process goes on"
        case _:
            return ", and the process goes on"


def _cause(disposition: Disposition | None, *, delivered: bool) -> str:
    if not delivered:
        return ": it is not delivered"
    match disposition:
        case Disposition.IGNORED:
            return ", which ignores it"
        case Disposition.HANDLED:
            return ": its handler returns, and nothing follows"
        case _:
            return ": it has no effect, as on PID 1 of a container"


def _later(request: Event, end: Exit) -> str:
    if request.time is None or end.time is None or end.time <= request.time:
        return ""
    return f", {end.time - request.time:.1f} s later"


def _fix(disposition: Disposition | None) -> str:
    match disposition:
        case Disposition.IGNORED:
            return "take the default action back, by signal(SIGTERM, SIG_DFL), before the work starts or before execve"
        case Disposition.HANDLED:
            return "let the handler wake the main loop (a flag that it looks at, signalfd, a pipe), and end there"
        case _:
            return (
                "install a handler of SIGTERM that ends the process, or put an init before it (docker run --init, tini)"
            )
