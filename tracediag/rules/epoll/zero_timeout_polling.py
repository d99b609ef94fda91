"""TD111: a loop that polls with timeout 0 and does nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracediag.evidence.call_table import CallTable, closer
from tracediag.evidence.runs import POLLING, Run, confidence
from tracediag.evidence.steps import no
from tracediag.kernel import Action, Kernel
from tracediag.kernel.process import Thread
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import on_round, on_table, on_trace_end
from tracediag.rules.loop import LoopRule
from tracediag.trace.calls import ACCEPTS, EPOLL_WAITS, FILE_READS, READS, SENDFILES, WAITS, WRITES
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import count, plural
from tracediag.trace.values import Structure, bare, number_of

_FELT = 1.0
"""Seconds up to which a run does little harm: the loops of runtimes poll like this between tasks that are all due."""


_MILLISECONDS = ("poll", "epoll_wait", "epoll_pwait", "epoll_wait_old")
"""Waits whose timeout is a number of milliseconds; of the others it is a structure."""


_TRANSFERS = READS | WRITES | ACCEPTS | SENDFILES | {"splice"}
_COUNTED = 10_000
_UNUSED = 20
"""So many waits to one call that moves data find nothing to do."""
_BRIEF = 10_000
"""Nanoseconds of a wait that does not block: a sleep and a wakeup take longer, even in CPU time alone."""


class _Polls(Run):
    """Waits of one thread with timeout 0 and nothing ready, one after the other.

    Turns aside are those with more lines between, of other threads or of this one.
    """

    worked: bool = False
    """Whether the thread made another call between two of the waits."""

    @property
    def period(self) -> float | None:
        """Seconds from one turn to the next on average, those aside included; None where the trace has no times."""
        return None if self.span is None or self.times < 2 else self.span / (self.times + self.aside - 1)


class ZeroTimeoutPolling(LoopRule[_Polls]):
    """poll, select or epoll_wait with timeout 0 and nothing ready, again and again, with nothing in between."""

    code = "TD111"
    name = "zero-timeout-polling"
    severity = Severity.WARNING
    bounds = POLLING
    summary = "a loop polls with timeout 0 over and over and does nothing else"
    rests_on = FILE_READS

    @on_round
    def turned(self, action: Action) -> Iterable[Finding] | None:
        """Count the turns in a row of one thread that did not wait and returned nothing."""
        turn = action.finished
        if turn is None or (turn.wait.result != 0 and action.thread not in self._runs):
            return None
        wait, until = turn.wait, turn.ended_by
        if until is None or wait.result != 0 or turn.paused is not None or not _no_wait(wait):
            return self.over(wait, action.thread)
        if until.line - max(wait.line, wait.end_line) - 1 <= self.bounds.cycle:
            self._count(action.thread, wait, worked=turn.calls > 1)
            return None
        run = self.run(action.thread)
        if run is not None:
            run.aside += 1
            if run.aside > run.times:
                return self.over(until, action.thread)
        return None

    def _count(self, thread: Thread, wait: Syscall, *, worked: bool = False) -> None:
        run = self.run(thread)
        if run is None:
            run = _Polls(wait, wait)
            self.begin(run, thread)
        else:
            run.add(wait)
        run.worked |= worked

    @on_table
    def counted(self, table: CallTable) -> Iterator[Finding]:
        """Judge waits that are many more than the calls that move data, by their number and time alone."""
        for row in table.of(WAITS)[:1]:
            brief = row.nanoseconds is None or row.nanoseconds <= _BRIEF * row.calls
            if row.calls < _COUNTED or not brief or table.made(_TRANSFERS) * _UNUSED > row.calls:
                continue
            moved = table.made(_TRANSFERS)
            yield self.finding(
                [row.step(primary=True)],
                object=row.name,
                title=f"{row.name} called {plural(row.calls, 'time')} while {count(moved)} calls moved data: the loop"
                " may not wait",
                severity=Severity.WARNING,
                confidence=Confidence.POSSIBLE,
                why="a wait that blocks returns because there is something to do, and a read, write or accept follows:"
                " poll(2), epoll_wait(2), select(2)",
                fix=f"see whether the timeout is 0, or something ready is not served: {closer(row.name)}",
            )

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """End what still polls at the end of the trace; in an excerpt the last, unfinished turn counts too."""
        for thread in kernel.process_table.threads.values() if self.scope.is_excerpt else ():
            for turn in thread.rounds.values():
                if turn.wait.result == 0 and _no_wait(turn.wait):
                    self._count(thread, turn.wait)
        yield from super().ended(kernel)

    def sure(self, run: _Polls) -> Confidence | None:
        """Return how sure it is that nothing else is done: work without calls shows only in the times."""
        sure = confidence(run, self.bounds, excerpt=self._excerpt)
        if sure is Confidence.POSSIBLE and run.worked:
            return None  # the few turns of an excerpt must be alike
        if sure is None or sure is Confidence.POSSIBLE:
            return sure
        if run.span is None:
            proved = sure is Confidence.CERTAIN or self.bounds.enough(run.times, self._excerpt)
            return Confidence.POSSIBLE if proved else None
        return Confidence.LIKELY if run.span < _FELT else sure

    def tell(self, run: _Polls, sure: Confidence) -> Finding:
        """Make the finding."""
        call = run.first
        number = call.number(0) if call.name in EPOLL_WAITS else None
        loops = "the loop busy-waits"
        seen = f"{call.name} called {plural(run.times, 'time')} with timeout 0 and nothing ready"
        proved = run.times >= self.bounds.worth
        first = step(call, "polls with timeout 0; nothing is ready", primary=True)
        # The few lines of an excerpt are no measure of harm.
        short = proved and run.span is not None and run.span < _FELT
        return self.finding(
            [first, *run.again("polls again immediately")],
            object=call.name if number is None else f"fd {number}",
            title=self.titled(run, loops, f"{seen}: {loops}" if proved else seen),
            severity=Severity.NOTE if short else Severity.WARNING,
            confidence=sure,
            absent=[no("sleep or wait with a timeout", call, run.last)],
            why="with timeout 0 a wait returns immediately even if nothing is ready: a loop of such waits uses a whole"
            " CPU to find that nothing has happened: poll(2), epoll_wait(2), select(2)",
            fix=f"pass {call.name} a timeout: {_forever(call)} if there is nothing else to do, or the time until the"
            " next timer; other threads can wake the wait through an eventfd",
        )


def _forever(call: Syscall) -> str:
    """Return the timeout with which the call waits until something is ready."""
    return "-1" if call.name in _MILLISECONDS else "NULL"


def _no_wait(call: Syscall) -> bool:
    """Whether the timeout is 0."""
    if call.name in _MILLISECONDS:
        return call.number(2 if call.name == "poll" else 3) == 0
    position = {"epoll_pwait2": 3, "ppoll": 2, "ppoll_time64": 2}.get(call.name, 4)
    time = bare(call.arg(position))
    return isinstance(time, Structure) and bool(time.fields) and all(number_of(part) == 0 for _, part in time.fields)
