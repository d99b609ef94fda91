"""TD412: a file that has ended, read again and again."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.runs import READS_AT_END, Run, confidence, severity_of
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import MESSAGES, Descriptor, Kind
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_process_end, on_release
from tracediag.trace.quantities import plural

_HABIT = 10
"""Reads that make a habit of looking again."""


class ReadsAfterEnd(Rule):
    """read = 0 over and over on a file, a pipe or a terminal, outside any event loop."""

    code = "TD412"
    name = "reads-after-end"
    severity = Severity.ERROR
    summary = "a file that has ended is read again and again, without a wait or with one"

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """The file is closed at last."""
        for descriptor in action.released:
            yield from self._judged(action.kernel, descriptor)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Look at all that was open, also at what no rule had noted; the count of each is reported once."""
        for descriptor in end.held:
            yield from self._judged(end.kernel, descriptor)

    def _judged(self, kernel: Kernel, descriptor: Descriptor) -> Iterator[Finding]:
        file, bounds = descriptor.file, READS_AT_END
        file.more()
        end, file.longest = file.longest, None
        # What a loop was woken for is told by the rules about loops; messages of a kind of their own may be empty.
        if end is None or end.times < bounds.few or descriptor.waited_for or file.kind in MESSAGES:
            return
        run = Run(end.first, end.last, second=end.second, times=end.times)
        if end.waits * 2 >= end.times or run.slower(bounds.slow):
            if end.times >= _HABIT:
                yield self._polling(descriptor, run)
            return
        sure = confidence(run, bounds, excerpt=self.scope.is_excerpt)
        # Without times only the density of its lines tells a spin from reads between other work.
        dense = run.last.line - run.first.line <= run.times * bounds.reach(kernel)
        if sure is Confidence.CERTAIN and not run.faster(bounds.fast):
            sure = Confidence.LIKELY if run.period is not None or dense else None
        if sure is not None:
            yield self._spinning(descriptor, run, sure, waits=end.waits > 0)

    def _spinning(self, descriptor: Descriptor, run: Run, sure: Confidence, *, waits: bool) -> Finding:
        number = descriptor.number
        seen = f"fd {number} is at its end, and is read {plural(run.times, 'time')} without a wait"
        return self.finding(
            _story(descriptor, run, "the end again, at once"),
            object=describe(descriptor),
            title=READS_AT_END.title(run.times, "the loop busy-waits", seen),
            severity=severity_of(sure),
            confidence=sure,
            absent=[no("data" if waits else "data, poll, select or sleep", run.first, run.last)],
            why="a read at the end returns 0 at once, it does not wait for more; on a regular file poll and select do"
            " not wait either, so a loop around it burns a CPU: read(2), poll(2)",
            fix=_fix(descriptor),
        )

    def _polling(self, descriptor: Descriptor, run: Run) -> Finding:
        number, period = descriptor.number, run.period
        often = "" if period is None else f", every {period:.2g} s"
        return self.finding(
            _story(descriptor, run, "still nothing, after a pause"),
            object=describe(descriptor),
            title=f"fd {number} is polled for more: {plural(run.times, 'read')} at the end{often}",
            severity=Severity.NOTE,
            confidence=Confidence.CERTAIN,
            absent=[no("data", run.first, run.last)],
            why="a read at the end returns 0 at once, so whoever wants more has to look again and again;"
            " of a regular file inotify tells when it has grown: read(2), inotify(7)",
            fix=_watch(descriptor) if descriptor.file.kind is Kind.FILE else _fix(descriptor),
        )


def _fix(descriptor: Descriptor) -> str:
    number = descriptor.number
    if descriptor.file.kind is Kind.FILE:
        return f"leave the loop when a read of fd {number} gives 0; to follow a file that grows, use inotify"
    return f"leave the loop when a read of fd {number} gives 0: what has ended gives nothing more"


def _watch(descriptor: Descriptor) -> str:
    path = descriptor.file.path or "the file"
    return f"watch {path} with inotify (IN_MODIFY), and read fd {descriptor.number} when it has changed"


def _story(descriptor: Descriptor, run: Run, again: str) -> Iterator[Step]:
    number = descriptor.number
    yield from birth(descriptor)
    yield step(run.first, f"fd {number} is at its end: nothing more comes of it", primary=True)
    yield from run.again(again)
