"""TD511: a wait for a child fails with ECHILD: the status of the child is lost."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import said_by
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
    """wait fails with ECHILD for a child of the process: SIGCHLD is ignored, or another wait took the status."""

    code = "TD511"
    name = "child-status-lost"
    severity = Severity.WARNING
    summary = "a wait for a child fails with ECHILD: the status of the child is lost"
    rests_on_successes = True

    def __init__(self) -> None:
        self._waits: Cases[Process, tuple[Syscall, int, Reaped | Event | None]] = Cases()
        """The wait that failed, the pid it asks for, and what shows that there was such a child."""

    @on_errno("ECHILD")
    def failed(self, action: Action) -> None:
        """Remember the wait until the process ends."""
        call, process = action.call, action.process
        known = self._waits.get(process)
        if call.name not in CHILD_WAITS or (known is not None and known[2] is not None):
            return
        pid = _waited_for(call)
        if pid is not None:
            self._waits[process] = (call, pid, _own(process, pid))

    @on_process_end
    def ended(self, last: ProcessEnd) -> Iterator[Finding]:
        """Judge by the end of the process; in an excerpt the child may be outside the trace."""
        process, end = last.process, last.exit
        held = self._waits.pop(process)
        # Only in an excerpt may a pid that the trace does not show as a child have been one.
        if held is None or (held[2] is None and not self.scope.is_excerpt):
            return
        call, pid, lost = held
        ignored = process.signals.get("SIGCHLD") is Disposition.IGNORED
        bad = end is not None and bool(end.status)
        taken = isinstance(lost, Reaped) and (lost.status is not None or lost.signal is not None)
        if taken and isinstance(lost, Reaped) and (lost.call.pid == call.pid or not bad):
            # The thread that waits in vain has the status: gdb and rsync keep it for such a wait.
            bad = bad and said_by(process).after(call.line).names_error("ECHILD") is not None
            if not (bad or self.scope.is_excerpt):
                return
        steps = [
            *_before(process, lost, pid),
            step(call, f"{call.name} fails with ECHILD: no status of child {pid} is left", primary=True),
        ]
        if bad and end is not None:
            steps.append(end_step(end))
        yield self.finding(
            steps,
            object=f"child {pid}",
            title=f"the status of child {pid} is lost: {_reason(lost, ignored=ignored)}",
            severity=_severity(lost, bad=bad),
            confidence=_confidence(lost, ignored=ignored),
            why=_why(lost),
            fix=_fix(lost, pid),
            explains=[("failed-call-behind-exit", call.line)],
        )


def _confidence(lost: Reaped | Event | None, *, ignored: bool) -> Confidence:
    if lost is None:
        return Confidence.POSSIBLE
    return Confidence.CERTAIN if ignored or isinstance(lost, Reaped) else Confidence.LIKELY


def _severity(lost: Reaped | Event | None, *, bad: bool) -> Severity:
    """A status that the other wait asked for is known to the program, unless the exit shows otherwise."""
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
    """Return the call that created the child, or an earlier wait for it; None if the pid is no known child."""
    for known in process.reaped:
        if known.pid == pid:
            return known
    child = process.children.get(pid)
    return None if child is None else child.started


def _before(process: Process, lost: Reaped | Event | None, pid: int) -> Iterator[Step]:
    arranged = process.signals.set_by.get("SIGCHLD")
    if arranged is not None:
        handled = process.signals.get("SIGCHLD") is Disposition.HANDLED
        yield step(arranged, "a handler for SIGCHLD is installed" if handled else "SIGCHLD is ignored from here on")
    if isinstance(lost, Reaped):
        yield step(lost.call, f"this wait takes the status of child {pid} first: {_how(lost)}")
        return
    child = process.children.get(pid)
    if isinstance(lost, Syscall):
        yield step(lost, f"child {pid} is created")
    if child is not None and child.exit is not None:
        yield step(child.exit, f"child {pid} exits, and the kernel discards the status")


def _how(lost: Reaped) -> str:
    if lost.signal is not None:
        return f"killed by {lost.signal}"
    return "the status is not stored" if lost.status is None else f"status {lost.status}"


def _reason(lost: Reaped | Event | None, *, ignored: bool) -> str:
    if lost is None and not ignored:
        return "SIGCHLD is ignored, another wait took the status, or the pid is no child of this process"
    if isinstance(lost, Reaped):
        return "another wait in the same process took the status"
    return "SIGCHLD is ignored" if ignored else "SIGCHLD has probably been ignored since before the program started"


def _why(lost: Reaped | Event | None) -> str:
    if isinstance(lost, Reaped):
        return "waitpid(-1) takes the status of any child, and each status can be taken only once: wait(2)"
    return (
        "with SIGCHLD ignored the kernel discards the status of every child, and an ignored signal stays ignored"
        " across execve: wait(2), execve(2)"
    )


def _fix(lost: Reaped | Event | None, pid: int) -> str:
    if lost is None:
        return (
            "record with -f from the start of the program; then set SIGCHLD to SIG_DFL if it is ignored, or wait for"
            f" child {pid} in one place only"
        )
    if isinstance(lost, Reaped):
        return f"wait for child {pid} in one place only: let the handler wait for known pids instead of -1"
    return "restore the default action before creating the child: signal(SIGCHLD, SIG_DFL)"
