"""TD310: a sweep of close over thousands of numbers that are not open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracediag.evidence.runs import SWEEP, Run, confidence
from tracediag.kernel import Action
from tracediag.kernel.process import Limit
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import on_errno
from tracediag.rules.loop import LoopRule

_FAR = 4096
"""Numbers that a sweep reaches only under a limit far above the usual one."""
_COSTLY = 16384
"""Below this a sweep costs a few milliseconds: no harm, but the next machine may have another limit."""
_GAP = 64
"""Numbers that may be open in the middle of a sweep."""


class _Sweep(Run, kw_only=True):
    """Closes by one thread of numbers that follow each other, none of them open."""

    limit: Limit | None
    start: int
    number: int
    """The latest."""

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


class CloseStorm(LoopRule[_Sweep]):
    """close = EBADF over a range of numbers: the loop goes up to RLIMIT_NOFILE, however large that is."""

    code = "TD310"
    name = "close-storm"
    severity = Severity.WARNING
    bounds = SWEEP
    summary = "close is called for thousands of numbers that are not open, up to the descriptor limit"

    @on_errno("EBADF", of=("close",))
    def refused(self, action: Action) -> Iterable[Finding] | None:
        """Follow the numbers of each thread."""
        call, thread = action.call, action.thread
        number = call.number(0)
        if number is None or number < 0:
            return None
        sweep = self.run(thread)
        if sweep is not None and sweep.goes_on(number):
            sweep.add(call)
            sweep.number = number
            return None
        found = self.over(call, thread)
        limit = action.process.limits.get("RLIMIT_NOFILE")
        self.begin(_Sweep(call, call, limit=limit, start=number, number=number), thread)
        return found

    def sure(self, run: _Sweep) -> Confidence | None:
        """Say how sure it is that it goes up to the limit: far above the usual one a few are enough."""
        far = run.top >= _FAR
        return confidence(run, self.bounds, excerpt=far) if far or run.times >= self.bounds.sure else None

    def tell(self, run: _Sweep, sure: Confidence) -> Finding:
        """Make the finding."""
        low, high = sorted((run.start, run.number))
        known = run.limit
        soft = None if known is None else known.soft
        upto = f"RLIMIT_NOFILE is {soft}" if soft is not None else "the loop runs up to the descriptor limit"
        seen = f"close is called for {run.times} numbers in a row that are not open: {upto}"
        return self.finding(
            _story(run),
            object=f"numbers {low} to {high}",
            title=self.bounds.title(run.times, "the loop tries every number", seen),
            severity=Severity.WARNING if run.top >= _COSTLY else Severity.NOTE,
            confidence=sure,
            why="a loop of close up to sysconf(_SC_OPEN_MAX) makes as many calls as the soft RLIMIT_NOFILE, which may"
            " be 1073741816 in a container: getrlimit(2), close_range(2)",
            fix="close all from 3 up in one call, close_range(3, ~0U, 0), or only what /proc/self/fd lists; until then"
            " run it under a small limit (ulimit -n 1024, LimitNOFILE=1024, docker --ulimit nofile=1024)",
            explains=[("failing-call-spin", run.first.line), ("double-close", run.first.line)],
        )


def _story(sweep: _Sweep) -> Iterator[Step]:
    known = sweep.limit
    if known is not None and known.soft is not None and known.call.line < sweep.first.line:
        yield step(known.call, f"RLIMIT_NOFILE is {known.soft}")
    yield step(sweep.first, f"number {sweep.start} is closed and was not open", primary=True)
    yield step(sweep.last, f"and so on to number {sweep.number}")
