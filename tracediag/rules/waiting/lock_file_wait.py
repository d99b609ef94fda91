"""TD606: a program that tries again and again to create a lock file that exists."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.exits import end_step
from tracediag.evidence.names import process_name
from tracediag.evidence.paths import name_of
from tracediag.evidence.polls import ENOUGH, Poll, Polls, path_of_check, was_stopped
from tracediag.evidence.waiters import killing_lines
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.trace.calls import KILLS, LINKS, MKDIRS, OPENS, SLEEPS, SYMLINKS
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern

_MAKERS = OPENS | LINKS | SYMLINKS | MKDIRS
_LOCK = lazy_pattern(r"lock|lck|mutex|\.pid", re.IGNORECASE)
"""Names of lock files: mkdir and link also meet existing names that are none."""


class LockFileWait(Rule):
    """A call that must create a name fails with EEXIST, the program sleeps, and tries again, until it ends."""

    code = "TD606"
    name = "lock-file-wait"
    severity = Severity.ERROR
    summary = "a program waits for a lock file to disappear; its owner may have died long ago"
    raised_by = (_MAKERS, SLEEPS)

    def __init__(self) -> None:
        self._polls = Polls()
        self._dead: Cases[Process, Syscall] = Cases()
        """The last kill of a process that found that the pid does not exist."""

    @on_call(*SLEEPS)
    def slept(self, action: Action) -> None:
        """Note a pause between two attempts."""
        self._polls.sleep(action)

    @on_errno("EEXIST", of=_MAKERS)
    def exists(self, action: Action) -> None:
        """Note an attempt."""
        path = path_of_check(action.call)
        if path is not None and (action.call.name in OPENS or _LOCK.search(name_of(path))):
            self._polls.check(action, path)

    @on_errno("ESRCH", of=KILLS)
    def no_process(self, action: Action) -> None:
        """Note that the pid that a process asked for does not exist."""
        self._dead[action.process] = action.call

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the attempts at the end of the process or the trace."""
        poll = self._polls.until(end, self._enough())
        if poll is not None:
            yield self._finding(end, poll, path_of_check(poll.last) or "the lock file")

    def _enough(self) -> int:
        """Return how many attempts prove it: one less where the recording begins in the middle."""
        return ENOUGH if self.scope.starts else ENOUGH - 1

    def _finding(self, end: ProcessEnd, poll: Poll, path: str) -> Finding:
        name, dead = process_name(end.process), self._dead.get(end.process)
        dead = None if dead is None or dead.line < poll.first.line else dead
        pid = None if dead is None else dead.number(0)
        stale = f": the owner, process {pid}, does not exist" if dead is not None else ""
        return self.finding(
            _story(end, poll, dead),
            object=path,
            title=f"{name} waits for the lock file {path} to disappear{stale}",
            confidence=Confidence.LIKELY if poll.times >= ENOUGH else Confidence.POSSIBLE,
            severity=Severity.ERROR if dead is not None or not was_stopped(end) else Severity.WARNING,
            why="the kernel does not remove a lock file when its owner dies, as it releases a lock of flock: after a"
            " crash or SIGKILL the file stays, and open with O_EXCL fails with EEXIST: open(2)",
            fix=f"check whether the program that created {path} still runs (its pid is often in the file, else"
            f" fuser {path}); if not: rm {path}",
            explains=[
                *(("killed-from-outside", line) for line in killing_lines(end)),
                ("failed-call-behind-exit", poll.last.line),
                *(("stale-lock-file", call.line) for call in (poll.first, poll.last)),
            ],
        )


def _story(end: ProcessEnd, poll: Poll, dead: Syscall | None) -> Iterator[Step]:
    yield step(poll.first, "the lock file exists; the program sleeps, and tries again")
    if dead is not None:
        yield step(dead, f"the program asks for process {dead.number(0)}: no process has that pid")
    yield step(poll.last, f"the last of {poll.times:,} attempts: the file still exists", primary=True)
    if end.exit is not None:
        yield end_step(end.exit)
