"""TD511: a wait for an own child fails with ECHILD: its status is lost."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.exits import end_step
from tracediag.kernel import Action
from tracediag.kernel.process import Process, Reaped
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.signals import Disposition
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_errno, on_process_end
from tracediag.trace.calls import CHILD_WAITS
from tracediag.trace.events import Event, Syscall
from tracediag.trace.values import names_of


class ChildStatusLost(Rule):
    """wait = ECHILD for an own child: SIGCHLD is ignored, or somebody else in the process has waited for it."""

    code = "TD511"
    name = "child-status-lost"
    severity = Severity.WARNING
    summary = "a wait for an own child fails with ECHILD: its status is lost"

    @on_errno("ECHILD")
    def failed(self, action: Action) -> None:
        """Remember the wait until it is clear how the process ends."""
        call, process = action.call, action.process
        known = process.memory.get(self.name)
        if call.name not in CHILD_WAITS or (known is not None and known[2] is not None):
            return
        pid = _waited_for(call)
        if pid is not None:
            process.memory[self.name] = (call, pid, _own(process, pid))

    @on_process_end
    def ended(self, last: ProcessEnd) -> Iterator[Finding]:
        """Judge by the end of the process; in an excerpt the child, too, is outside the trace."""
        process, end = last.process, last.exit
        held = process.memory.pop(self.name, None)
        # Of what is no child in the trace only an excerpt lets one believe that it has been one.
        if held is None or (held[2] is None and not self.scope.is_excerpt):
            return
        call, pid, lost = held
        ignored = process.signals.get("SIGCHLD") is Disposition.IGNORED
        bad = end is not None and bool(end.status)
        if isinstance(lost, Reaped) and not bad and (lost.status is not None or lost.signal is not None):
            return  # whoever took the status may have kept it for this one, as rsync does
        steps = [*_before(process, lost, pid), step(call, f"{call.name} finds no such child", primary=True)]
        if bad and end is not None:
            steps.append(end_step(end))
        yield self.finding(
            steps,
            object=f"child {pid}",
            title=f"the status of child {pid} is lost: {_reason(lost, ignored=ignored)}",
            severity=_severity(lost, bad=bad),
            confidence=_confidence(lost, ignored=ignored),
            why="where SIGCHLD is ignored, which execve passes on, children vanish without a status, and a status can"
            " be taken only once: wait(2), sigaction(2)",
            fix=_fix(lost, pid),
            explains=[("failed-call-behind-exit", call.line)],
        )


def _confidence(lost: Reaped | Event | None, *, ignored: bool) -> Confidence:
    if lost is None:
        return Confidence.POSSIBLE
    return Confidence.CERTAIN if ignored or isinstance(lost, Reaped) else Confidence.LIKELY


def _severity(lost: Reaped | Event | None, *, bad: bool) -> Severity:
    """A status that the program's own handler has asked for is known to it, unless the end shows otherwise."""
    if bad and lost is not None:
        return Severity.ERROR
    known = isinstance(lost, Reaped) and (lost.status is not None or lost.signal is not None)
    return Severity.NOTE if known else Severity.WARNING


def _waited_for(call: Syscall) -> int | None:
    """Return the pid that a wait asks for; None for any child."""
    if call.name == "waitid":
        return call.number(1) if "P_PID" in names_of(call.arg(0)) else None
    pid = call.number(0)
    return pid if pid is not None and pid > 0 else None


def _own(process: Process, pid: int) -> Reaped | Event | None:
    """Return what made that child, or who has waited for it before; None if it is not known to be an own child."""
    for known in process.reaped:
        if known.pid == pid:
            return known
    child = process.children.get(pid)
    return None if child is None else child.started


def _before(process: Process, lost: Reaped | Event | None, pid: int) -> Iterator[Step]:
    arranged = process.signals.set_by.get("SIGCHLD")
    if arranged is not None:
        handled = process.signals.get("SIGCHLD") is Disposition.HANDLED
        yield step(arranged, "SIGCHLD gets a handler" if handled else "SIGCHLD is ignored from here on")
    if isinstance(lost, Reaped):
        yield step(lost.call, f"child {pid} is waited for here already: {_how(lost)}")
        return
    child = process.children.get(pid)
    if isinstance(lost, Syscall):
        yield step(lost, f"child {pid} is made")
    if child is not None and child.exit is not None:
        yield step(child.exit, "it ends, and nothing of it is kept")


def _how(lost: Reaped) -> str:
    if lost.signal is not None:
        return f"killed by {lost.signal}"
    return "its status is not asked for" if lost.status is None else f"status {lost.status}"


def _reason(lost: Reaped | Event | None, *, ignored: bool) -> str:
    if lost is None and not ignored:
        return "SIGCHLD is ignored, another wait has taken it, or it is no child of this process"
    if isinstance(lost, Reaped):
        return "another wait of the same process has taken it"
    return "SIGCHLD is ignored" if ignored else "SIGCHLD is ignored, as it seems, since before the program was started"


def _fix(lost: Reaped | Event | None, pid: int) -> str:
    if lost is None:
        return (
            "record with -f from the program's start; then set SIGCHLD to SIG_DFL if it is ignored, or wait for child"
            f" {pid} at one place only"
        )
    if isinstance(lost, Reaped):
        return (
            f"wait for child {pid} at one place only: let the handler wait for the pids that are its own, not for any"
        )
    return "set SIGCHLD to SIG_DFL before the child is made: signal(SIGCHLD, SIG_DFL)"
