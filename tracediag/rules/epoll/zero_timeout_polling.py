"""TD111: a loop that asks for events without waiting for them, and does nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.steps import no, plural, repeated
from tracediag.kernel import Action, Kernel
from tracediag.kernel.epoll import Round
from tracediag.kernel.process import Thread
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_exit, on_round, on_trace_end
from tracediag.trace.calls import EPOLL_WAITS
from tracediag.trace.events import Syscall
from tracediag.trace.values import Structure, bare, number_of

_BETWEEN = 2
"""Lines between two waits up to which nothing else is done: a look at the clock, a yield."""
_STORM = 50
_MANY = 200
"""From here on it is told even where the trace shows no times, and work without calls would not be seen."""
_FELT = 1.0
"""Seconds up to which a run does little harm: the loops of runtimes ask so between the tasks that are due at once."""
_TRIES = 3
"""Turns that make an excerpt."""
_TIGHT = 0.0005
"""Seconds a turn on average below which there is no room for work between."""


class _Run(msgspec.Struct, eq=False):
    """Waits of one thread that did not wait and gave nothing, one after the other."""

    first: Syscall
    last: Syscall
    times: int = 1
    second: Syscall | None = None
    aside: int = 0
    """Turns among them with more lines between, of other threads or of this one."""

    @property
    def period(self) -> float | None:
        """Seconds from one to the next on average; None where the trace does not tell."""
        return None if self.span is None or self.times < 2 else self.span / (self.times + self.aside - 1)

    @property
    def span(self) -> float | None:
        """Seconds from the first to the last; None where the trace does not tell."""
        return None if self.first.time is None or self.last.time is None else self.last.time - self.first.time

    @property
    def is_short(self) -> bool:
        """Whether it is known to have done little harm; the few lines of an excerpt are no measure."""
        return self.times >= _STORM and self.span is not None and self.span < _FELT

    def turn(self, wait: Syscall) -> None:
        """Count one more."""
        self.second = self.second or wait
        self.last = wait
        self.times += 1


class ZeroTimeoutPolling(Rule):
    """poll, select or epoll_wait with a time-out of 0, empty, again and again, with nothing between."""

    code = "TD111"
    name = "zero-timeout-polling"
    severity = Severity.WARNING
    summary = "a loop asks for events with a time-out of 0 over and over and does nothing else"

    def __init__(self) -> None:
        self._runs: dict[int, _Run] = {}

    @on_round
    def turned(self, action: Action) -> Iterator[Finding]:
        """Count the turns in a row of one thread that gave nothing and took no time."""
        turn = action.finished
        if turn is not None and (turn.wait.result == 0 or id(action.thread) in self._runs):
            yield from self._take(turn, action.thread)

    def _take(self, turn: Round, thread: Thread) -> Iterator[Finding]:
        wait, until = turn.wait, turn.ended_by
        run = self._runs.get(id(thread))
        if until is None or wait.result != 0 or turn.paused is not None or not _no_wait(wait):
            yield from self._over(self._runs.pop(id(thread), None))
        elif until.line - max(wait.line, wait.end_line) - 1 <= _BETWEEN:
            self._count(thread, wait)
        elif run is not None:
            run.aside += 1
            if run.aside > run.times:
                yield from self._over(self._runs.pop(id(thread), None))

    def _count(self, thread: Thread, wait: Syscall) -> None:
        run = self._runs.get(id(thread))
        if run is None:
            self._runs[id(thread)] = _Run(wait, wait)
        else:
            run.turn(wait)

    @on_exit
    def exited(self, action: Action) -> Iterator[Finding]:
        """The thread has ended."""
        yield from self._over(self._runs.pop(id(action.thread), None))

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """What still goes on where the trace ends; in an excerpt a few turns stand for many."""
        excerpt = self.scope.is_excerpt
        for thread in kernel.process_table.threads.values() if excerpt else ():
            for turn in thread.rounds.values():
                if turn.wait.result == 0 and _no_wait(turn.wait):
                    self._count(thread, turn.wait)
        for run in self._runs.values():
            yield from self._over(run, excerpt=excerpt)

    def _over(self, run: _Run | None, *, excerpt: bool = False) -> Iterator[Finding]:
        sure = None if run is None else _sure(run, excerpt=excerpt)
        if run is not None and sure is not None:
            yield self._finding(run, sure)

    def _finding(self, run: _Run, sure: Confidence) -> Finding:
        call = run.first
        number = call.number(0) if call.name in EPOLL_WAITS else None
        what = f"{call.name} returns {plural(run.times, 'time')} with nothing, without having waited"
        steps = [step(call, "asks for events with a time-out of 0; there are none", primary=True)]
        if run.second is not None:
            steps.append(repeated(run.second, "asks again at once", run.times - 1, run.last.line))
        return self.finding(
            steps,
            object=call.name if number is None else f"fd {number}",
            title=f"if this repeats, the loop is a spin: {what}" if run.times < _STORM else what,
            severity=Severity.NOTE if run.is_short else Severity.WARNING,
            confidence=sure,
            absent=[no("sleep or wait with a time-out", call, run.last)],
            why="with a time-out of 0 a wait returns at once, whether there is something or not: a loop of such waits"
            " takes a whole processor to find that nothing has happened: poll(2), epoll_wait(2), select(2)",
            fix=f"give {call.name} a time-out: -1 where nothing else is to be done (NULL for select), or the time until"
            " the next thing that is; an eventfd in the set wakes it for anything else",
        )


def _sure(run: _Run, *, excerpt: bool) -> Confidence | None:
    """Say how sure it is that nothing else is done; work without calls shows only in the times."""
    if run.times < _STORM:
        return Confidence.POSSIBLE if excerpt and run.times >= _TRIES and not _slow(run) else None
    if _slow(run):
        return None
    if run.span is None:
        return Confidence.POSSIBLE if run.times >= _MANY else None
    return Confidence.CERTAIN if run.times >= _MANY and run.span >= _FELT else Confidence.LIKELY


def _slow(run: _Run) -> bool:
    return run.period is not None and run.period > _TIGHT


def _no_wait(call: Syscall) -> bool:
    """Whether the time-out is 0."""
    if call.name in ("poll", "epoll_wait", "epoll_pwait", "epoll_wait_old"):
        return call.number(2 if call.name == "poll" else 3) == 0
    position = {"epoll_pwait2": 3, "ppoll": 2, "ppoll_time64": 2}.get(call.name, 4)
    time = bare(call.arg(position))
    return isinstance(time, Structure) and bool(time.fields) and all(number_of(part) == 0 for _, part in time.fields)
