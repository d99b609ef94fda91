"""TD605: a program that fails, or repeats its attempts, because another process holds a file lock."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from tracediag.evidence.blocking import lock_holder, named
from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import report_step, said_by
from tracediag.evidence.exits import end_step, failed_end, manner
from tracediag.evidence.names import process_name
from tracediag.evidence.paths import path_of
from tracediag.evidence.waiters import killing_lines, stood_in
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.trace.calls import LOCKS, SLEEPS
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.quantities import plural
from tracediag.trace.records import Message
from tracediag.trace.values import Structure, number_of

_SAYS = lazy_pattern(
    r"\b(?:un|dead|f)?lock|already running|in use|busy|unavailable|another (?:process|instance|copy)", re.IGNORECASE
)
_ATTEMPTS = 3
"""Refusals of one lock that show that the program tries again."""


class _Refusal(msgspec.Struct):
    """A lock that a process was refused, and has not been given since."""

    first: Syscall
    last: Syscall
    what: str
    times: int = 1
    owner: tuple[Syscall, int] | None = None
    """The F_GETLK that named the process which holds the lock, and its pid."""


class LockRefused(Rule):
    """flock with LOCK_NB, or fcntl with F_SETLK, fails with EAGAIN, and the process exits with a failure."""

    code = "TD605"
    name = "lock-refused"
    severity = Severity.ERROR
    summary = "a program fails, or tries again and again, because another process holds a file lock"
    raised_by = (LOCKS,)

    def __init__(self) -> None:
        self._refused: Cases[Process, _Refusal] = Cases()

    @on_errno("EAGAIN", "EACCES", "EWOULDBLOCK", of=LOCKS)
    def refused(self, action: Action) -> None:
        """Note a refusal."""
        call, descriptor = action.call, action.descriptor
        if call.name != "flock" and not (call.has("F_SETLK") or call.has("F_SETLK64") or call.has("F_OFD_SETLK")):
            return
        known = self._refused.get(action.process)
        if known is not None and known.last.body == call.body:
            known.last, known.times = call, known.times + 1
            return
        path = None if descriptor is None else path_of(descriptor.file, action.process)
        self._refused[action.process] = _Refusal(call, call, path or f"fd {call.number(0)}")

    @on_call(*LOCKS, given="_refused")
    def locked(self, action: Action) -> None:
        """Note that the lock was given after all, or that F_GETLK names the holder."""
        call, known = action.call, self._refused.get(action.process)
        if known is None or action.process.order is not None or call.failed or call.number(0) != known.last.number(0):
            return
        if call.body == known.last.body:
            del self._refused[action.process]
        elif call.has("F_GETLK") or call.has("F_GETLK64"):
            lock = call.arg(2)
            pid = number_of(lock.get("l_pid")) if isinstance(lock, Structure) else None
            known.owner = (call, pid) if pid else None

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge whether the last refusal is why the process fails, or whether it still tries."""
        known, process = self._refused.get(end.process), end.process
        if known is None:
            return
        failed = failed_end(process)
        said = _words(process, known.last.line)
        last = process.failures[-1] if process.failures else known.last
        if failed is not None and (said is not None or last.line <= known.last.line):
            first = end.kernel.processes[0] is process
            yield self._finding(end, known, said, Severity.ERROR if said is not None or first else Severity.NOTE)
        elif (
            (known.times >= _ATTEMPTS or _pauses(end, known))
            and process.status is None
            and (process.order or last.line <= known.last.line)
        ):
            yield self._finding(end, known, None, Severity.WARNING)

    def _finding(self, end: ProcessEnd, known: _Refusal, said: Message | None, severity: Severity) -> Finding:
        name, exited = process_name(end.process), end.exit
        shown = lock_holder(end.kernel, end.process.pid, known.last.number(0))
        owner = "" if known.owner is None else named(end.kernel, known.owner[1])
        holder = shown or owner or "another process"
        tried = f" after {plural(known.times, 'attempt')}" if known.times > 1 else ""
        if severity is not Severity.WARNING and exited is not None:
            title = f"{name} {manner(exited)}{tried}: {holder} holds the lock on {known.what}"
        else:
            title = f"{name} waits for the lock on {known.what}, which {holder} holds: {plural(known.times, 'attempt')}"
        return self.finding(
            _story(end, known, said),
            object=known.what,
            title=title,
            severity=severity,
            confidence=Confidence.POSSIBLE if exited is None and known.times == 1 else Confidence.LIKELY,
            why="a lock call that does not wait fails with EAGAIN as long as another process, or another open of the"
            " file, holds a conflicting lock: flock(2), fcntl_locking(2)",
            fix=_fix(known, shown or ("" if owner.startswith("process ") else owner)),
            explains=[
                *(("killed-from-outside", line) for line in killing_lines(end)),
                ("failed-call-behind-exit", known.first.line),
                ("failed-call-behind-exit", known.last.line),
                ("eagain-treated-as-error", known.last.line),
                *((("child-failure-behind", exited.line),) if exited is not None else ()),
                *(("failed-call-behind-exit", line) for line in self._guessed(end)),
            ],
        )

    def _guessed(self, end: ProcessEnd) -> Iterator[int]:
        """Yield the line of a failed call that would be the best guess at the reason, were it not for the lock."""
        blame = None if end.exit is None else self.scope.verdicts.judge(end.process).blame
        if blame is not None and blame.confidence is Confidence.POSSIBLE:
            yield blame.call.line


def _pauses(end: ProcessEnd, known: _Refusal) -> bool:
    """Whether a process has looked which one holds the lock, or tried again, and sleeps now: as dpkg and apt do."""
    asked = known.owner is not None or known.times > 1
    return asked and end.exit is None and any(call.name in SLEEPS for call in stood_in(end))


def _words(process: Process, line: int) -> Message | None:
    """Return the message after a refusal that speaks of a lock."""
    writes = said_by(process, line).calls
    return next((write for write in reversed(writes) if _SAYS.search(write.text)), None)


def _story(end: ProcessEnd, known: _Refusal, said: Message | None) -> Iterator[Step]:
    if known.times > 1:
        yield step(known.first, "the lock is refused: another process holds it")
    yield step(known.last, _last(known), primary=True)
    if known.owner is not None:
        yield step(known.owner[0], f"F_GETLK names process {known.owner[1]} as the holder")
    if said is not None:
        yield report_step(said)
    if end.exit is not None:
        yield end_step(end.exit)


def _last(known: _Refusal) -> str:
    if known.times == 1:
        return f"the lock on {known.what} is refused: another process holds it"
    return f"the last of {known.times:,} attempts is refused"


def _fix(known: _Refusal, shown: str) -> str:
    if shown:
        return f"find out why {shown} keeps the lock, and let it finish, or end it; do not remove the lock file"
    if known.owner is not None:
        pid = known.owner[1]
        return f"see what process {pid} does (ps -fp {pid}), and let it finish, or end it; do not remove the lock file"
    return f"find the holder: lslocks, or fuser -v {known.what}; let it finish, or end it; do not remove the lock file"
