"""TD303: one number closed twice."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.owners import closed_by, last_owner
from tracediag.evidence.steps import birth
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.table import DescriptorTable
from tracediag.results.findings import Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_errno, on_exit, on_threaded, on_trace_end
from tracediag.trace.calls import READS, WRITES
from tracediag.trace.events import Begun, Syscall

_USERS = "TD303 users"
"""On a descriptor: the threads that used it, but for the one that made it."""

_LONG_SWEEP = 8
_SHORT_SWEEP = 3


class _Run(msgspec.Struct, eq=False):
    """Closes by one thread of numbers that lie side by side, some of them refused."""

    table: DescriptorTable
    last: Syscall
    """The latest that was refused."""
    number: int
    step: int = 0
    length: int = 1
    strangers: int = 0
    """How many of them were not open, and have never been as far as the trace shows."""
    held: list[Finding] = []
    """What is to be said unless the run turns out to be a sweep."""

    def reaches(self, number: int, call: Syscall) -> bool:
        """Take a refused close into the run, if the thread has closed all numbers between."""
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
        """Whether the thread is closing whatever might be open: no mistake."""
        length = self.length + max(self._closed_on(way) for way in ((self.step,) if self.step else (1, -1)))
        return length >= _LONG_SWEEP or (length >= _SHORT_SWEEP and self.strangers > 0)

    def _closed_on(self, way: int, until: int | None = None) -> int:
        """Return how many numbers further that way the thread has closed, one after the other."""
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
    """close = EBADF after a close of the same number; or a second close that hit another thread's descriptor."""

    code = "TD303"
    name = "double-close"
    severity = Severity.WARNING
    summary = "a descriptor is closed twice; between the two another thread may have got the number"

    def __init__(self) -> None:
        self._runs: dict[int | None, _Run] = {}
        """The last run of each thread in which something was refused."""

    @on_errno("EBADF", of=("close",))
    def refused(self, action: Action) -> list[Finding] | None:
        """Hold a second close of the same number until it is clear that it is no part of a sweep."""
        call, told = action.call, None
        number = call.number(0)
        if number is None or number < 0:
            return None
        run = self._runs.get(call.pid)
        if run is None or not run.reaches(number, call):
            told = _told(run)
            run = self._runs[call.pid] = _run_to(action, number)
        gone = last_owner(action, number)
        if gone is None:
            run.strangers += 1
        elif gone.closing is not None or (isinstance(gone.closed, Syscall) and gone.closed.name == "close"):
            struck = self._struck(action, gone)
            run.held.append(self._twice(action, gone) if struck is None else struck)
            del run.held[:-_LONG_SWEEP]
        return told

    @on_threaded(*READS, *WRITES, "fcntl", "epoll_ctl", "shutdown")
    def used(self, action: Action) -> None:
        """Remember which threads have to do with a descriptor: theirs is the right to close it."""
        descriptor, tid = action.descriptor, action.thread.tid
        if descriptor is not None and descriptor.opened is not None and descriptor.opened.pid != tid:
            descriptor.memory.setdefault(_USERS, set()).add(tid)

    @on_errno("EBADF")
    def missed(self, action: Action) -> Iterator[Finding]:
        """Take the proof of the worse kind: the owner of a number finds it closed by a thread that closed it before."""
        number = action.call.number(0)
        gone = None if number is None or action.call.name == "close" else action.process.table.last_closed.get(number)
        struck = None if gone is None else self._struck(action, gone)
        if struck is not None:
            yield struck

    @on_exit
    def exited(self, action: Action) -> Iterator[Finding]:
        """No more closes by this thread."""
        yield from _told(self._runs.pop(action.event.pid, None))

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """No more closes at all."""
        del kernel
        for run in self._runs.values():
            yield from _told(run)

    def _twice(self, action: Action, gone: Descriptor) -> Finding:
        call, number, first = action.call, gone.number, gone.closing or gone.closed
        assert isinstance(first, Begun | Syscall)
        other = first.pid != call.pid
        by = ", by another thread" if other else ""
        return self.finding(
            [
                *birth(gone),
                step(first, f"fd {number} is closed"),
                step(call, f"closed again{by}: fd {number} is not open", primary=True),
            ],
            object=describe(gone),
            title="two threads close the same descriptor" if other else "a descriptor is closed twice",
            severity=Severity.WARNING if other or len(action.process.threads) > 1 else Severity.NOTE,
            why=_WHY,
            fix=_FIX.format(fd=number),
        )

    def _struck(self, action: Action, gone: Descriptor) -> Finding | None:
        """Return the worse finding, if another thread closed what the caller had opened, by a stale number."""
        before, closed = None if gone.before is None else gone.before.closed, gone.closed
        if not isinstance(before, Syscall) or not isinstance(closed, Syscall) or gone.opened is None:
            return None
        if gone.opened.pid != action.thread.tid or not _by_a_stale_number(before, closed, gone):
            return None
        number = gone.number
        return self.finding(
            [
                step(before, f"fd {number} is closed"),
                step(gone.opened, f"another thread gets the number {number}"),
                _strike(closed),
                step(action.call, f"the thread that opened it finds fd {number} gone"),
            ],
            object=describe(gone),
            title="a second close hits the descriptor of another thread",
            severity=Severity.ERROR,
            why=_WHY,
            fix=_FIX.format(fd=number),
            explains=[("use-after-close", action.call.line)],
        )


_WHY = (
    "a number is free as soon as it is closed, and the next open in any thread takes the lowest free one: a second"
    " close hits whatever has the number by then: close(2), open(2)"
)
_FIX = "let one owner close fd {fd}, and forget the number (set it to -1) once it is closed"


def _strike(close: Syscall) -> Step:
    return step(close, "closed a second time by the first thread: this hits the descriptor of the other", primary=True)


def _by_a_stale_number(before: Syscall, closed: Syscall, gone: Descriptor) -> bool:
    """Whether a thread that had closed the number before, and has never had to do with this one, has closed it too."""
    both = before.name == closed.name == "close" and before.pid == closed.pid
    stranger = gone.opened is not None and gone.opened.pid != closed.pid
    return both and stranger and closed.pid not in gone.memory.get(_USERS, ())


def _run_to(action: Action, number: int) -> _Run:
    """Return the run that a refused close ends for now: the closes by the same thread of the numbers beside it."""
    table, call = action.process.table, action.call
    for way in (1, -1):
        beside, until, length = number - way, call.line, 1
        while length < _LONG_SWEEP and (end := closed_by(table, beside, call.pid)) is not None and end.line < until:
            beside, until, length = beside - way, end.line, length + 1
        if length > 1:
            return _Run(table, call, number, way, length)
    return _Run(table, call, number)


def _told(run: _Run | None) -> list[Finding]:
    return [] if run is None or run.sweep else run.held
