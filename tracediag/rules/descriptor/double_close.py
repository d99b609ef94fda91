"""TD303: one number closed twice."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.events import Begun, Syscall
from tracediag.findings import Finding, Severity, Step, step
from tracediag.kernel import Action, Kernel
from tracediag.kernel.calls.transfer import READS, WRITES
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.rules.base import Rule, on_call, on_end, on_errno, on_exit
from tracediag.rules.steps import birth

_USERS = "TD303 users"
"""On a descriptor: the threads that used it, but for the one that made it."""

_STALE = "TD303 stale"
"""On a descriptor: the close, by the thread that has now closed it too, of what had the number before."""

_LONG_SWEEP = 8
_SHORT_SWEEP = 3


class _Run(msgspec.Struct, eq=False):
    """Closes by one thread of numbers that lie side by side."""

    last: int
    step: int = 0
    length: int = 1
    strangers: int = 0
    """How many of them were not open, and have never been as far as the trace shows."""
    held: list[Finding] = []
    """What is to be said unless the run turns out to be a sweep."""

    @property
    def sweep(self) -> bool:
        """Whether the thread is closing whatever might be open: no mistake."""
        return self.length >= _LONG_SWEEP or (self.length >= _SHORT_SWEEP and self.strangers > 0)


class DoubleClose(Rule):
    """close = EBADF after a close of the same number; or a second close that hit another thread's descriptor."""

    code = "TD303"
    name = "double-close"
    severity = Severity.WARNING
    summary = "a descriptor is closed twice; between the two another thread may have got the number"

    def __init__(self) -> None:
        self._runs: dict[int | None, _Run] = {}
        """The runs in which something was refused, by thread."""

    @on_call("close")
    def closed(self, action: Action) -> list[Finding] | None:
        """Remember who closed what; a second close with EBADF is told once it is clear that it is no sweep."""
        call = action.call
        failed = call.errno == "EBADF"
        threaded = not failed and len(action.thread.process.threads) > 1
        if not failed and not threaded and call.pid not in self._runs:
            return None  # nearly all of them
        number = call.number(0)
        if number is None or number < 0:
            return None
        if threaded:
            _take_down(action, number)
        return self._counted(action, number, failed=failed)

    def _counted(self, action: Action, number: int, *, failed: bool) -> list[Finding] | None:
        """Count the close into the run of its thread; return what is told, since that run is over."""
        pid, told = action.event.pid, None
        run = self._runs.get(pid)
        if run is not None and not _goes_on(run, number):
            told = _told(self._runs.pop(pid))
            run = None
        if failed:
            if run is None:
                run = self._runs[pid] = _run_to(action, number)
            self._refused(action, number, run)
        return told

    def _refused(self, action: Action, number: int, run: _Run) -> None:
        gone = last_owner(action, number)
        if gone is None:
            run.strangers += 1
        elif gone.closing is not None or (isinstance(gone.closed, Syscall) and gone.closed.name == "close"):
            struck = self._struck(action, gone)
            run.held.append(self._twice(action, gone) if struck is None else struck)
            del run.held[:-_LONG_SWEEP]

    @on_call(*READS, *WRITES, "fcntl", "epoll_ctl", "shutdown")
    def used(self, action: Action) -> None:
        """Remember which threads have to do with a descriptor: theirs is the right to close it."""
        thread = action.thread
        if len(thread.process.threads) < 2:
            return
        descriptor = action.descriptor
        if descriptor is not None and descriptor.opened is not None and descriptor.opened.pid != thread.tid:
            descriptor.memory.setdefault(_USERS, set()).add(thread.tid)

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

    @on_end
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
        before: Syscall | None = gone.memory.get(_STALE)
        if before is None or gone.opened is None or gone.opened.pid != action.thread.tid:
            return None
        assert isinstance(gone.closed, Syscall)
        number = gone.number
        return self.finding(
            [
                step(before, f"fd {number} is closed"),
                step(gone.opened, f"another thread gets the number {number}"),
                _strike(gone.closed),
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


def last_owner(action: Action, number: int) -> Descriptor | None:
    """Return what had the number: closed before, or at this moment by another thread."""
    table = action.process.table
    held = table.get(number)
    if held is not None:
        return held if held.closing is not None and held.closing.pid != action.call.pid else None
    return table.last_closed.get(number)


def _take_down(action: Action, number: int) -> None:
    """Note on the closed descriptor whether its closer has closed the same number before, and never used this one."""
    closes: dict[int, Syscall] = action.process.memory.setdefault("TD303 closes", {})
    call, before = action.call, closes.get(number)
    closes[number] = call
    descriptor = action.descriptor
    if descriptor is None or before is None or before.pid != call.pid or descriptor.opened is None:
        return
    users = descriptor.memory.get(_USERS, ())
    if descriptor.opened.pid != call.pid and before.line < descriptor.opened.line and call.pid not in users:
        descriptor.memory[_STALE] = before


def _run_to(action: Action, number: int) -> _Run:
    """Return the run that a refused close ends for now: the closes by the same thread of the numbers beside it."""
    closed = action.process.table.last_closed
    for direction in (1, -1):
        beside, until, length = number - direction, action.event.line, 1
        while length < _LONG_SWEEP and (gone := closed.get(beside)) is not None:
            end = gone.closed
            if not isinstance(end, Syscall) or end.name != "close" or end.pid != action.event.pid or end.line >= until:
                break
            beside, until, length = beside - direction, end.line, length + 1
        if length > 1:
            return _Run(number, direction, length)
    return _Run(number)


def _goes_on(run: _Run, number: int) -> bool:
    """Take the number into the run, if it lies beside the last one in the same direction."""
    step_now = number - run.last
    if abs(step_now) != 1 or run.step not in (0, step_now):
        return False
    run.step, run.last = step_now, number
    run.length += 1
    return True


def _told(run: _Run | None) -> list[Finding]:
    return [] if run is None or run.sweep else run.held
