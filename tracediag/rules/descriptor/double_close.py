"""TD303: a descriptor is closed twice."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.owners import closed_by, last_owner, lists_itself
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action, Kernel, describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Thread
from tracediag.kernel.table import DescriptorTable
from tracediag.results.findings import Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_errno, on_exit, on_threaded, on_trace_end
from tracediag.trace.calls import CONTROLS, EPOLL_CTLS, READS, WRITES
from tracediag.trace.events import Begun, Syscall

_USES = frozenset({*READS, *WRITES, *CONTROLS, *EPOLL_CTLS, "shutdown"})
"""Calls by which a thread shows that it may close a descriptor."""
_USED_KEPT = 1 << 16
"""Descriptors of which the users are known; a user that is forgotten would count as a stranger."""
_LONG_SWEEP = 8
_SHORT_SWEEP = 3


class _Run(msgspec.Struct, eq=False):
    """Closes by one thread of adjacent numbers, some of which failed."""

    table: DescriptorTable
    last: Syscall
    """The latest that failed."""
    number: int
    step: int = 0
    length: int = 1
    strangers: int = 0
    """How many of the numbers were never open, as far as the trace shows."""
    held: list[Finding] = []
    """Findings to report unless the run turns out to be a sweep."""

    def reaches(self, number: int, call: Syscall) -> bool:
        """Add a failed close to the run if the thread has closed all numbers in between; return whether it did."""
        gap = number - self.number
        way = 1 if gap > 0 else -1
        if gap == 0 or abs(gap) > _LONG_SWEEP or self.step not in (0, way):
            return False
        if self._closed_on(way, call.line) < abs(gap) - 1:
            return False
        self.last, self.number, self.step, self.length = call, number, way, self.length + abs(gap)
        return True

    @property
    def sweep(self) -> bool:
        """Whether the thread closes every number that may be open, on purpose."""
        length = self.length + max(self._closed_on(way) for way in ((self.step,) if self.step else (1, -1)))
        return length >= _LONG_SWEEP or (length >= _SHORT_SWEEP and self.strangers > 0)

    def _closed_on(self, way: int, until: int | None = None) -> int:
        """Return how many adjacent numbers the thread has closed in that direction, one after the other."""
        count, line = 0, self.last.line
        while (
            count < _LONG_SWEEP
            and (end := closed_by(self.table, self.number + way * (count + 1), self.last.pid)) is not None
        ):
            if end.line <= line or (until is not None and end.line >= until):
                break
            count, line = count + 1, end.line
        return count


class DoubleClose(Rule):
    """close fails with EBADF after a close of the same number, or a second close hits another thread's descriptor."""

    code = "TD303"
    name = "double-close"
    severity = Severity.WARNING
    summary = "a descriptor is closed twice; in between, another thread may have been given the number"
    rests_on = _USES

    def rests(self, finding: Finding) -> Collection[str]:
        """Return the calls by which a thread uses a descriptor, where it is said to have closed another's."""
        return _USES if finding.absent else ()

    def __init__(self) -> None:
        self._runs: Cases[Thread, _Run] = Cases()
        """The latest run of a thread with a failed close."""
        self._users: Cases[Descriptor, set[int | None]] = Cases(_USED_KEPT, outlive=True)
        """The threads that used a descriptor, except the thread that opened it."""

    @on_errno("EBADF", of=("close",))
    def refused(self, action: Action) -> list[Finding] | None:
        """Hold back a second close of the same number until it is clear that it is not part of a sweep."""
        call, settled = action.call, None
        number = call.number(0)
        if number is None or number < 0:
            return None
        run = self._runs.get(action.thread)
        if run is None or not run.reaches(number, call):
            settled = _settled(run)
            run = self._runs[action.thread] = _run_to(action, number)
        gone = last_owner(action, number)
        if gone is None or lists_itself(gone):
            run.strangers += 1
        elif gone.closing is not None or (isinstance(gone.closed, Syscall) and gone.closed.name == "close"):
            struck = self._struck(action, gone)
            run.held.append(self._twice(action, gone) if struck is None else struck)
            del run.held[:-_LONG_SWEEP]
        return settled

    @on_threaded(*_USES)
    def used(self, action: Action) -> None:
        """Remember which threads use a descriptor: they may have the right to close it."""
        descriptor, tid = action.descriptor, action.thread.tid
        if descriptor is not None and descriptor.opened is not None and descriptor.opened.pid != tid:
            users = self._users.get(descriptor)
            if users is None:
                users = self._users[descriptor] = set()
            users.add(tid)

    @on_errno("EBADF")
    def missed(self, action: Action) -> Iterator[Finding]:
        """Find the proof of the worse case: a thread whose descriptor a second close has closed."""
        number = action.call.number(0)
        gone = None if number is None or action.call.name == "close" else action.process.table.last_closed.get(number)
        struck = None if gone is None else self._struck(action, gone)
        if struck is not None:
            yield struck

    @on_exit
    def exited(self, action: Action) -> Iterator[Finding]:
        """Settle the run of a thread that ended."""
        yield from _settled(self._runs.pop(action.thread))

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Settle the runs of the remaining threads."""
        del kernel
        for run in self._runs.values():
            yield from _settled(run)

    def _twice(self, action: Action, gone: Descriptor) -> Finding:
        call, number, first = action.call, gone.number, gone.closing or gone.closed
        assert isinstance(first, Begun | Syscall)
        other = first.pid != call.pid
        again = "another thread closes it again" if other else "closed again"
        name = describe.name(gone)
        return self.finding(
            [
                *birth(gone),
                step(first, f"fd {number} is closed"),
                step(call, f"{again}: fd {number} is no longer open", primary=True),
            ],
            object=describe.describe(gone),
            title=f"two threads close {name}" if other else f"{name} is closed twice",
            severity=Severity.WARNING if other or len(action.process.threads) > 1 else Severity.NOTE,
            why=_WHY,
            fix=_FIX.format(fd=number),
        )

    def _struck(self, action: Action, gone: Descriptor) -> Finding | None:
        """Return the worse finding if another thread closed the caller's descriptor by a stale number."""
        before, closed = None if gone.before is None else gone.before.closed, gone.closed
        if not isinstance(before, Syscall) or not isinstance(closed, Syscall) or gone.opened is None:
            return None
        if gone.opened.pid != action.thread.tid or not _by_a_stale_number(
            before, closed, gone, self._users.get(gone, ())
        ):
            return None
        number = gone.number
        return self.finding(
            [
                step(before, f"fd {number} is closed"),
                step(gone.opened, f"another thread is given fd {number}"),
                _strike(closed),
                step(action.call, f"{action.call.name} fails: the thread that opened fd {number} has lost it"),
            ],
            object=describe.describe(gone),
            title=f"a second close closes another thread's {describe.name(gone)}",
            severity=Severity.ERROR,
            absent=[no(f"other call on fd {number} by the thread that closes it", gone.opened, closed)],
            why=_WHY,
            fix=_FIX.format(fd=number),
            explains=[("use-after-close", action.call.line)],
        )


_WHY = (
    "a closed number is free for the next open in any thread, so a second close may close a descriptor that another"
    " thread has just opened: close(2), open(2)"
)
_FIX = "let one owner close fd {fd}, and set the variable to -1 after the close"


def _strike(close: Syscall) -> Step:
    return step(
        close,
        "the first thread closes the number a second time, and with it the other thread's descriptor",
        primary=True,
    )


def _by_a_stale_number(before: Syscall, closed: Syscall, gone: Descriptor, users: Container[int | None]) -> bool:
    """Whether a thread closed the number before, and now a descriptor under it that the thread never used."""
    both = before.name == closed.name == "close" and before.pid == closed.pid
    stranger = gone.opened is not None and gone.opened.pid != closed.pid
    return both and stranger and closed.pid not in users


def _run_to(action: Action, number: int) -> _Run:
    """Return the run up to a failed close: the closes of adjacent numbers by the same thread before it."""
    table, call = action.process.table, action.call
    for way in (1, -1):
        beside, until, length = number - way, call.line, 1
        while length < _LONG_SWEEP and (end := closed_by(table, beside, call.pid)) is not None and end.line < until:
            beside, until, length = beside - way, end.line, length + 1
        if length > 1:
            return _Run(table, call, number, way, length)
    return _Run(table, call, number)


def _settled(run: _Run | None) -> list[Finding]:
    return [] if run is None or run.sweep else run.held
