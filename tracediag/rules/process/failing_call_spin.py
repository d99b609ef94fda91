"""TD518: a call that fails the same way over and over, without a wait between the attempts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracediag.evidence.call_table import CallTable, closer
from tracediag.evidence.complaints import meaning, target
from tracediag.evidence.runs import CALLS, Run, confidence
from tracediag.evidence.steps import no
from tracediag.kernel import Action
from tracediag.kernel.calls.transfer import BROKEN
from tracediag.kernel.process import Thread
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import on_call, on_errno, on_exit, on_followed, on_table
from tracediag.rules.loop import LoopRule
from tracediag.rules.process._likeness import Failed, alike
from tracediag.trace.calls import (
    ACCEPTS,
    CHILD_WAITS,
    FUTEXES,
    IDLES,
    LOOKS,
    OPENS,
    READS,
    SEEKS,
    SIGNAL_RETURNS,
    WAITS,
    WRITES,
)
from tracediag.trace.errnos import all_errors
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import count, plural

_WAITS = WAITS | IDLES
_LOOKUPS = LOOKS | OPENS
_TRANSFERS = READS | WRITES
_ABSENT = frozenset({"ENOENT", "ENOTDIR"})
_OFTEN_FAIL = (
    _TRANSFERS | FUTEXES | SEEKS | CHILD_WAITS | IDLES | SIGNAL_RETURNS | {"close", "ioctl", "restart_syscall"}
)
"""Calls that have a rule of their own in a table, or whose failure is part of normal work."""
_SEARCHES = 20_000
"""Lookups in a table of which nearly all fail: the searches of one start, through paths that do not exist, take some
thousands."""
_STDERR = 2
_ERRORS = tuple(
    error.name
    for error in all_errors()
    if error.number < 512 and error.name not in ("EINPROGRESS", "ENODATA", "ECHILD")
)


class _Failures(Run, kw_only=True):
    """Identical failures of one thread in a row."""

    path: str | None
    waited: bool = False
    moved: int = 0
    """Transfers of data between the failures, as far as they are lookups by path."""


class FailingCallSpin(LoopRule[_Failures]):
    """One call, made over and over without a wait, fails the same way each time."""

    code = "TD518"
    name = "failing-call-spin"
    severity = Severity.ERROR
    bounds = CALLS
    summary = "a call fails the same way over and over, without progress and without a wait"
    rests_on_successes = True

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[Thread, tuple[Failed, Failed | None]] = {}
        """The last two failures of each thread: a turn may hold a second call that fails."""

    @on_errno(*_ERRORS)
    def failed(self, action: Action) -> Iterable[Finding] | None:
        """Count the failure if it is the same as one of the last two of this thread and close to it."""
        call, thread, descriptor = action.call, action.thread, action.descriptor
        others = self._last.get(thread, _NOTHING)
        last, earlier = others
        self._last[thread] = ((call, None if descriptor is None else descriptor.file.path), last)
        run = self.run(thread) if self._runs else None
        if run is None:
            body = call.body
            # The body differs nearly always: a search through directories.
            if (
                not body[:1].isdigit()
                and (last is None or last[0].body != body)
                and (earlier is None or earlier[0].body != body)
            ):
                return None
            if not any(other and other[0].name == call.name and other[0].errno == call.errno for other in others):
                return None
        return self._counted(action, run, others)

    def _counted(
        self, action: Action, run: _Failures | None, others: tuple[Failed | None, Failed | None]
    ) -> Iterable[Finding] | None:
        call, thread, reach = action.call, action.thread, self.bounds.reach(action.kernel)
        this = self._last[thread][0]
        if run is not None and alike((run.last, run.path), this):
            if not run.waited and call.line - run.last.line <= reach:
                run.add(call)
                return None
        elif run is not None and call.line - run.last.line < self.bounds.cycle:
            return None
        found = self.over(call, thread)
        for other in others:
            if other is not None and alike(other, this) and call.line - other[0].line <= reach:
                self.begin(_Failures(other[0], call, second=call, times=2, path=this[1]), thread)
                if call.errno in _ABSENT and call.name in _LOOKUPS:
                    self.follow(thread)
                break
        return found

    @on_followed
    def worked(self, action: Action) -> None:
        """Count data that is moved between two lookups: an optional file is looked for at each piece of work."""
        event, run = action.event, self.run(action.thread)
        if run is None:
            self.leave(action.thread)
        elif isinstance(event, Syscall) and event.name in _TRANSFERS and (event.result or 0) > 0:
            run.moved += event.number(0) != _STDERR

    @on_call(*_WAITS)
    def waited(self, action: Action) -> Iterable[Finding] | None:
        """A wait between the attempts makes it polling, which is no spin."""
        self._last.pop(action.thread, None)
        run = self.run(action.thread)
        if run is None or run.waited:
            return None
        found = self.over(action.event, action.thread)
        run.waited = True
        self.begin(run, action.thread)
        return found

    @on_table
    def counted(self, table: CallTable) -> Iterator[Finding]:
        """Judge the calls that nearly always fail, by their number alone."""
        for row in table:
            name = row.name
            if name in _OFTEN_FAIL or not table.fails(row) or (name in _LOOKUPS and row.calls < _SEARCHES):
                continue
            waits = [wait for wait in table.of(WAITS) if 2 * wait.calls >= row.calls]
            if name in ACCEPTS and not waits:
                continue  # eagain-spin
            yield self.finding(
                [row.step(primary=True), *(wait.step() for wait in waits[:1])],
                object=name,
                title=f"{name} fails {count(row.errors)} of {count(row.calls)} times: the loop may busy-wait",
                severity=Severity.WARNING,
                confidence=Confidence.POSSIBLE,
                why=_queued(waits[0].name)
                if name in ACCEPTS
                else "a table of strace -c counts failures and does not show which error it is: strace(1)",
                fix=f"record the error: {closer(name)}",
            )

    @on_exit
    def exited(self, action: Action) -> Iterable[Finding]:
        """The exit of the thread ends its spin."""
        self._last.pop(action.thread, None)
        return super().exited(action)

    def sure(self, run: _Failures) -> Confidence | None:
        """Say how sure it is that no call between succeeds or waits: a recording of failures alone does not show it."""
        unfinished = self._last_line - run.last.line <= 2
        at_work = run.moved * 2 >= run.times
        sure = (
            None if run.waited or at_work else confidence(run, self.bounds, excerpt=self._excerpt if unfinished else 0)
        )
        if sure is Confidence.POSSIBLE and run.first.name in WRITES and run.first.errno in BROKEN:
            return None  # a few writes of one answer to a peer that has left: use-after-reset
        return Confidence.LIKELY if sure is Confidence.CERTAIN and self.scope.failures_only else sure

    def tell(self, run: _Failures, sure: Confidence) -> Finding:
        """Make the finding."""
        call = run.first
        path = target(call)
        what = f"{call.name}{f' of {path}' if path else ''}"
        seen = f"{what} fails {plural(run.times, 'time')} with {call.errno} without a wait between attempts"
        return self.finding(
            [
                step(call, f"{call.name} fails: {meaning(call.errno or '')}", primary=True),
                step(run.last, f"the last of {count(run.times)} identical failures"),
            ],
            object=f"fd {call.number(0)}" if path is None and (call.number(0) or -1) >= 0 else what,
            title=self.titled(run, "the loop busy-waits", seen),
            confidence=sure,
            absent=[no("wait or sleep", run.first, run.last)],
            why=f"nothing changes between two attempts: the call can only fail with {call.errno} again, and the loop"
            " uses a whole CPU: errno(3)",
            fix=_fix(call),
        )


_NOTHING: tuple[None, None] = (None, None)


def _queued(wait: str) -> str:
    return (
        f"after EMFILE the connection stays in the queue, and {wait} reports the listener again immediately; after"
        " EAGAIN another process was faster: accept(2)"
    )


def _fix(call: Syscall) -> str:
    if call.errno in ("EBADF", "ENOTCONN", "EIO", "EPIPE", "ECONNRESET", "EINVAL", "ENOTSOCK", "ESTALE"):
        return f"treat {call.errno} as permanent: leave the loop, and reopen the descriptor if it is still needed"
    return f"leave the loop on {call.errno}, or wait before the next attempt (poll, inotify, a growing delay)"
