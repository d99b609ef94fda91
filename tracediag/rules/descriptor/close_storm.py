"""TD310: a sweep of close over thousands of numbers that are not open."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.steps import repeated
from tracediag.kernel import Action, Kernel
from tracediag.kernel.process import Limit
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_errno, on_exit, on_trace_end
from tracediag.trace.events import Syscall

_STORM = 1500
"""A sweep up to the usual limit of 1024 costs a millisecond."""
_FAR = 4096
"""Numbers that a sweep reaches only under a limit far above the usual one."""
_COSTLY = 16384
"""Below this a sweep costs a few milliseconds: no harm, but the next machine may have another limit."""
_CYCLE = 8
_GAP = 64
"""Numbers that may be open in the middle of a sweep."""


class _Sweep(msgspec.Struct, eq=False):
    """Closes by one thread of numbers that follow each other, none of them open."""

    limit: Limit | None
    first: Syscall
    last: Syscall
    number: int
    start: int
    times: int = 1

    def goes_on(self, number: int) -> bool:
        """Whether a number follows, upward or downward."""
        forward = number - self.number
        if self.times == 1:
            return 0 < abs(forward) <= _GAP
        return 0 < (forward if self.number > self.start else -forward) <= _GAP

    @property
    def top(self) -> int:
        """The highest number of it."""
        return max(self.start, self.number)


class CloseStorm(Rule):
    """close = EBADF over a range of numbers: the loop goes up to RLIMIT_NOFILE, however large that is."""

    code = "TD310"
    name = "close-storm"
    severity = Severity.WARNING
    summary = "close is called for thousands of numbers that are not open, up to the descriptor limit"

    def __init__(self) -> None:
        self._sweeps: dict[int | None, _Sweep] = {}

    @on_errno("EBADF")
    def refused(self, action: Action) -> Iterator[Finding]:
        """Follow the numbers of each thread."""
        call = action.call
        number = call.number(0) if call.name == "close" else None
        if number is None or number < 0:
            return
        tid = action.thread.tid
        sweep = self._sweeps.get(tid)
        if sweep is None or not sweep.goes_on(number):
            self._sweeps[tid] = _Sweep(action.process.limits.get("RLIMIT_NOFILE"), call, call, number, number)
            yield from self._told(sweep)
        else:
            sweep.times += 1
            sweep.last = call
            sweep.number = number

    @on_exit
    def exited(self, action: Action) -> Iterator[Finding]:
        """Nothing more is closed by this thread."""
        yield from self._told(self._sweeps.pop(action.thread.tid, None))

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Speak of the sweeps that the trace ends in."""
        del kernel
        for sweep in self._sweeps.values():
            yield from self._told(sweep)

    def _told(self, sweep: _Sweep | None) -> Iterator[Finding]:
        if sweep is None:
            return
        if sweep.times >= _STORM:
            yield self._finding(sweep, Confidence.CERTAIN)
        elif sweep.times >= _CYCLE and sweep.top >= _FAR:
            yield self._finding(sweep, Confidence.LIKELY)
        elif sweep.times > 2 and sweep.top >= _FAR:
            yield self._finding(sweep, Confidence.POSSIBLE)

    def _finding(self, sweep: _Sweep, confidence: Confidence) -> Finding:
        low, high = sorted((sweep.start, sweep.number))
        known = sweep.limit
        soft = None if known is None else known.soft
        unsure = ", if this repeats for all numbers" if confidence is Confidence.POSSIBLE else ""
        upto = f"RLIMIT_NOFILE is {soft}" if soft is not None else "the loop runs up to the descriptor limit"
        return self.finding(
            _story(sweep),
            object=f"numbers {low} to {high}",
            title=f"close is called for {sweep.times} numbers in a row that are not open: {upto}{unsure}",
            severity=Severity.WARNING if sweep.top >= _COSTLY else Severity.NOTE,
            confidence=confidence,
            why="a loop of close up to sysconf(_SC_OPEN_MAX) makes as many calls as the soft RLIMIT_NOFILE, which may"
            " be 1073741816 in a container: getrlimit(2), close_range(2)",
            fix="close all from 3 up in one call, close_range(3, ~0U, 0), or only what /proc/self/fd lists; until then"
            " run it under a small limit (ulimit -n 1024, LimitNOFILE=1024, docker --ulimit nofile=1024)",
            explains=[("failing-call-spin", sweep.first.line), ("double-close", sweep.first.line)],
        )


def _story(sweep: _Sweep) -> Iterator[Step]:
    known = sweep.limit
    if known is not None and known.soft is not None and known.call.line < sweep.first.line:
        yield step(known.call, f"RLIMIT_NOFILE is {known.soft}")
    yield step(sweep.first, f"number {sweep.start} is closed and was not open", primary=True)
    yield repeated(sweep.last, f"and so on to number {sweep.number}", 1, sweep.last.line)
