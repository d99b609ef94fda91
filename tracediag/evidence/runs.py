"""Like calls in a row: what was repeated, how often and how fast, and how many repetitions prove something."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import msgspec

from tracediag.evidence.steps import repeated
from tracediag.kernel import Kernel
from tracediag.results.findings import Confidence, Severity, Step
from tracediag.trace.events import Event, Syscall

_PORTION = 20
"""Lines of an excerpt in each of which the few turns that prove something there must be found: its lines were chosen
because they matter, so that what fills them is its subject; the same turns lost among others are not."""
_INTERLEAVED = 4
"""Threads that count where the lines of several are interleaved: on few CPUs more than these seldom run in between."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How many repetitions, and how fast, prove something."""

    few: int
    """Turns in each `_PORTION` lines that prove it in an excerpt, which shows what matters, not how often."""
    worth: int
    """The least number of turns that is reported."""
    sure: int
    """The number of turns from which it is certain."""
    slow: float = inf
    """Seconds per turn, on average, above which the loop waits for something else."""
    fast: float = 0.0
    """Seconds per turn, on average, below which only the loop itself sets the pace."""
    cycle: int = 0
    """Lines from one turn to the next if the thread does nothing else in between."""
    key: str = ""
    """The threshold of the configuration that sets `worth`, if one does: see `rules.thresholds`."""

    def from_(self, times: int) -> Bounds:
        """Return the bounds that report from so many turns on."""
        return msgspec.structs.replace(self, worth=times, sure=max(self.sure, times))

    def reach(self, kernel: Kernel) -> int:
        """Return how many lines a turn may span where other threads are traced as well."""
        return self.cycle * max(1, min(_INTERLEAVED, len(kernel.process_table.threads)))

    def enough(self, times: int, excerpt: int) -> bool:
        """Whether so many turns are the subject of an excerpt of so many lines; 0 lines are no excerpt."""
        return excerpt > 0 and times >= self.few * max(1, excerpt // _PORTION)

    def confidence(self, times: int, *, excerpt: int, elided: bool = False) -> Confidence | None:
        """Return how sure so many turns make it; None where they are too few to report.

        Args:
            times: the number of turns.
            excerpt: the lines of the excerpt, in which a few turns may stand for more; 0 where the trace is none.
            elided: whether lines left out by hand (`...`) prove that the turns continue.
        """
        if times >= self.worth:
            return Confidence.CERTAIN if times >= self.sure else Confidence.LIKELY
        if not self.enough(times, excerpt):
            return None
        return Confidence.LIKELY if elided and times > 1 else Confidence.POSSIBLE

    def title(self, times: int, what: str, seen: str = "", *, elided: bool = False) -> str:
        """Return the title of a repetition: a statement, or a condition if an excerpt shows only a few turns.

        Args:
            times: the number of turns.
            what: the fault that the repetition amounts to.
            seen: what the lines show, repeated or not; if given, it is the statement.
            elided: whether lines left out by hand prove that the turns continue.
        """
        if times >= self.worth or (elided and times > 1):
            return seen or what
        return f"if this repeats, {what}: {seen}" if seen else f"if this repeats, {what}"


LOOP = Bounds(few=1, worth=3, sure=10, slow=0.05, fast=0.002, key="event-loop-turns")
"""Turns of an event loop. The model shows what a turn did about each thing that the wait reported, so that one turn of
an excerpt shows the fault. One turn may be wasted by chance and one more by a retry; what ten turns did not settle, no
further turn will. A turn of 50 ms was paced by something else; one of 2 ms is two calls at the speed of strace."""

CALLS = Bounds(few=3, worth=50, sure=50, slow=0.005, fast=0.001, cycle=6, key="repeated-calls")
"""One call over and over, with nothing in the model to judge it by: programs retry a failed call, or try a range of
names or numbers, some tens of times. strace costs less than 1 ms a call; a deliberate pause is 5 ms or more.
Two calls that succeed may belong to each attempt, such as open and close around an ioctl, each in two halves."""

READS_AT_END = msgspec.structs.replace(CALLS, few=4)
"""Reads that return 0: one shows the end, and the C library or its caller may read once or twice more."""

READY_AGAIN = Bounds(few=3, worth=10, sure=50, slow=0.05, fast=0.002)
"""Turns in which a wait reports a descriptor and the first transfer fails with EAGAIN all the same: another thread may
have been quicker a few times."""

POLLING = msgspec.structs.replace(CALLS, sure=200, slow=0.0005, fast=0.0, cycle=2)
"""Waits with timeout 0: programs that compute poll in between, and computation shows only as time between two calls, so
there must be none. Without times it takes 200."""

ATTEMPTS = Bounds(few=2, worth=3, sure=5, fast=0.02)
"""Attempts at one request, a pause apart: resolvers and other clients stop after 3 to 6. Below 20 ms it is a burst."""

RESTARTS = Bounds(few=2, worth=10, sure=10)
"""Attempts at one call that a timer's signal undoes: a few are normal, and the call gets through between two ticks."""

LEFT_OPEN = Bounds(few=3, worth=10, sure=10)
"""Descriptors of one origin that stay open: a program may keep a few for its whole life."""

SWEEP = Bounds(few=3, worth=8, sure=1500)
"""Closes of numbers in a row: eight are no accident, and 1,500 go beyond the usual limit of 1,024 descriptors."""


class Run(msgspec.Struct, eq=False):
    """A run of like calls; it begins with one call, which is its first and last."""

    first: Syscall
    last: Syscall
    second: Syscall | None = None
    times: int = 1
    aside: int = 0
    """Turns in between that were of another kind but did not end the run."""
    ended: Event | None = None
    """What ended the run; None while nothing has."""
    elided: bool = False
    """Whether the trace ends with the run still open, and lines after its first turn were left out by hand."""

    def add(self, call: Syscall) -> None:
        """Add one call to the count."""
        if self.second is None:
            self.second = call
        self.last = call
        self.times += 1

    @property
    def span(self) -> float | None:
        """Seconds from the first call to the last; None if the trace has no times."""
        first, last = self.first.time, self.last.time
        return None if first is None or last is None else last - first

    @property
    def period(self) -> float | None:
        """Average seconds from one call to the next; None if the trace has no times, or for a single call."""
        span = self.span
        return None if span is None or self.times < 2 else span / (self.times - 1)

    def slower(self, seconds: float) -> bool:
        """Whether it is known to be slower than so many seconds a turn: without times it counts as fast."""
        period = self.period
        return period is not None and period > seconds

    def faster(self, seconds: float) -> bool:
        """Whether it is known to take less than this many seconds per turn."""
        period = self.period
        return period is not None and period < seconds

    def together(self, note: str, *, primary: bool = False) -> Step:
        """Return the step that represents all its calls."""
        return repeated(self.first, note, self.times, self.last.line, primary=primary)

    def again(self, note: str) -> Iterator[Step]:
        """Yield the step that represents all calls after the first."""
        if self.second is not None:
            yield repeated(self.second, note, self.times - 1, self.last.line)


def lengthened(run: Run | None, call: Syscall) -> Run:
    """Return the run with one more call, or a new run that begins with the call."""
    if run is None:
        return Run(call, call)
    run.add(call)
    return run


def confidence(run: Run, bounds: Bounds, *, excerpt: int) -> Confidence | None:
    """Return how sure it is that a run would not end by itself; None where it is too short or too slow to report."""
    return None if run.slower(bounds.slow) else bounds.confidence(run.times, excerpt=excerpt, elided=run.elided)


def severity_of(sure: Confidence) -> Severity:
    """Return the severity of a busy loop: an error, or a warning where it is a guess."""
    return Severity.WARNING if sure is Confidence.POSSIBLE else Severity.ERROR
