"""TD310: close is called on thousands of numbers that are not open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracediag.evidence.call_table import CallTable
from tracediag.evidence.runs import SWEEP, Run, confidence
from tracediag.kernel import Action
from tracediag.kernel.credentials import Limit
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import on_errno, on_table
from tracediag.rules.loop import LoopRule
from tracediag.trace.quantities import count

_FAR = 4096
"""Numbers that a sweep reaches only where the limit is far above the usual 1,024."""
_COSTLY = 16384
"""Below this a sweep takes a few milliseconds: harmless here, but another machine may have a higher limit."""
_GAP = 64
"""Numbers in a row that may be open in the middle of a sweep."""


_WHY = (
    "sysconf(_SC_OPEN_MAX) is the soft RLIMIT_NOFILE, which can be 1,073,741,816 in a container; a loop of close up to"
    " it makes that many calls: sysconf(3), getrlimit(2)"
)
_FIX = (
    "replace the loop by close_range(3, ~0U, 0), or close only what /proc/self/fd lists; if the program cannot be"
    " changed, lower its limit (ulimit -n 1024, LimitNOFILE=1024, docker --ulimit nofile=1024)"
)


class _Sweep(Run, kw_only=True):
    """Closes by one thread of successive numbers, none of them open."""

    limit: Limit | None
    start: int
    number: int
    """The latest."""

    def continues(self, number: int) -> bool:
        """Whether a number is the next one, upwards or downwards."""
        forward = number - self.number
        if self.times == 1:
            return 0 < abs(forward) <= _GAP
        return 0 < (forward if self.number > self.start else -forward) <= _GAP

    @property
    def top(self) -> int:
        """The highest number reached."""
        return max(self.start, self.number)


class CloseStorm(LoopRule[_Sweep]):
    """close fails with EBADF on a range of numbers: the loop runs up to RLIMIT_NOFILE, however high that is."""

    code = "TD310"
    name = "close-storm"
    severity = Severity.WARNING
    bounds = SWEEP
    summary = "close is called on thousands of numbers that are not open, up to the descriptor limit"

    @on_errno("EBADF", of=("close",))
    def refused(self, action: Action) -> Iterable[Finding] | None:
        """Follow the numbers of each thread."""
        call, thread = action.call, action.thread
        number = call.number(0)
        if number is None or number < 0:
            return None
        sweep = self.run(thread)
        if sweep is not None and sweep.continues(number):
            sweep.add(call)
            sweep.number = number
            return None
        found = self.over(call, thread)
        limit = action.process.limits.get("RLIMIT_NOFILE")
        self.begin(_Sweep(call, call, limit=limit, start=number, number=number), thread)
        return found

    @on_table
    def counted(self, table: CallTable) -> Iterator[Finding]:
        """Judge the closes that failed, by their number alone."""
        for row in table.of(("close",)):
            if row.errors < SWEEP.sure or row.errors < row.done:
                continue
            yield self.finding(
                [row.step(primary=True)],
                object="close",
                title=f"close fails {count(row.errors)} times: the program may close every possible number",
                severity=Severity.NOTE,  # perhaps several children closed a thousand each
                confidence=Confidence.POSSIBLE,
                why=_WHY,
                fix=_FIX,
            )

    def sure(self, run: _Sweep) -> Confidence | None:
        """Return the confidence that the sweep runs up to the limit: above `_FAR` a few calls are enough."""
        far = run.top >= _FAR
        return confidence(run, self.bounds, excerpt=1 if far else 0) if far or run.times >= self.bounds.sure else None

    def tell(self, run: _Sweep, sure: Confidence) -> Finding:
        """Return the finding for a sweep."""
        low, high = sorted((run.start, run.number))
        known = run.limit
        soft = None if known is None else known.soft
        reach = f"RLIMIT_NOFILE is {count(soft)}" if soft is not None else "the loop runs up to the descriptor limit"
        seen = f"close fails with EBADF on {count(run.times)} numbers in a row; {reach}"
        return self.finding(
            _story(run),
            object=f"fd {low} to {high}",
            title=self.titled(run, "the loop closes every possible number", seen),
            severity=Severity.WARNING if run.top >= _COSTLY else Severity.NOTE,
            confidence=sure,
            why=_WHY,
            fix=_FIX,
            explains=[("failing-call-spin", run.first.line), ("double-close", run.first.line)],
        )


def _story(sweep: _Sweep) -> Iterator[Step]:
    known = sweep.limit
    if known is not None and known.soft is not None and known.call.line < sweep.first.line:
        yield step(known.call, f"RLIMIT_NOFILE is {count(known.soft)}")
    yield step(sweep.first, f"fd {sweep.start} is not open", primary=True)
    yield step(sweep.last, f"and so on, to fd {sweep.number}")
