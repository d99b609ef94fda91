"""TD604: a process that waits for a file lock until the trace, or the process, ends."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.names import process_name
from tracediag.evidence.paths import path_of
from tracediag.evidence.waiters import blocked_at, killing_lines, lasts
from tracediag.evidence.waits import is_lock
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_process_end
from tracediag.trace.calls import LOCKS
from tracediag.trace.events import Syscall

_LONG = 1.0
"""Seconds after which a wait for a lock is no contention of two that both work."""


class FileLockWait(Rule):
    """A lock call has not returned when the process is killed or the trace ends."""

    code = "TD604"
    name = "file-lock-wait"
    severity = Severity.ERROR
    summary = "a process waits for a file lock that another process holds, until it is killed or the trace ends"
    raised_by = (LOCKS,)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the call in which a process was killed, or in which it stands at the end."""
        call = blocked_at(end)
        if call is None or not is_lock(call):
            return
        known = isinstance(call, Syscall) and call.interrupted
        sure = known or (isinstance(call, Syscall) and lasts(call, end.kernel, _LONG))
        held = next((each for each in end.held if each.number == call.number(0)), None)
        path = None if held is None else path_of(held.file, end.process)
        what = path or f"fd {call.number(0)}"
        steps: list[Step] = [step(call, "waits for the lock, and does not return", primary=True)]
        if held is not None and held.opened is not None:
            steps.append(step(held.opened, "opens the file"))
        if end.exit is not None:
            steps.append(step(end.exit, f"the process is killed by {end.exit.signal} in this wait"))
        yield self.finding(
            steps,
            object=what,
            title=f"{process_name(end.process)} waits for the lock on {what}, which another process holds",
            severity=Severity.ERROR if sure else Severity.WARNING,
            confidence=Confidence.LIKELY if sure else Confidence.POSSIBLE,
            why="without LOCK_NB, and with F_SETLKW, a lock call waits until no other process holds a conflicting lock:"
            " flock(2), fcntl_locking(2)",
            fix="find the holder (lslocks, or /proc/locks by inode) and end or repair it; to wait for a limited time:"
            f" flock -w SECONDS {path or 'FILE'} COMMAND",
            explains=[("killed-from-outside", line) for line in killing_lines(end)],
        )
