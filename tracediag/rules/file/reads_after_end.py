"""TD412: a file that has ended, read again and again."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.steps import birth, no, plural, repeated
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import MESSAGES, AtEnd, Descriptor, Kind
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_process_end, on_release

_STORM = 50
_POLLS = 10
"""Reads that make a habit of looking again."""
_TRIES = 4
"""Reads that make an excerpt: one shows the end, and the C library or its caller may read once or twice more."""
_FAST, _PERIOD = 0.001, 0.005
"""Seconds from one read to the next: proof of a spin, and proof of a pause, whatever makes it."""
_OWN_WORK = 4
"""Lines from one read to the next, if nothing else goes on meanwhile."""


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
        file = descriptor.file
        file.more()
        end, file.longest = file.longest, None
        # What a loop was woken for is told by the rules about loops; messages of a kind of their own may be empty.
        if end is None or end.times < _TRIES or descriptor.waited_for or file.kind in MESSAGES:
            return
        if end.waits * 2 >= end.times or _slow(end):
            if end.times >= _POLLS:
                yield self._polling(descriptor, end)
        elif end.times >= _STORM and (end.last.time is not None or _dense(kernel, end)):
            yield self._spinning(descriptor, end, few=False)
        elif self.scope.is_excerpt:
            yield self._spinning(descriptor, end, few=True)

    def _spinning(self, descriptor: Descriptor, end: AtEnd, *, few: bool) -> Finding:
        number, period = descriptor.number, _period(end)
        sure = Confidence.CERTAIN if period is not None and period < _FAST else Confidence.LIKELY
        title = f"fd {number} is at its end, and is read {plural(end.times, 'time')} without a wait"
        return self.finding(
            _story(descriptor, end, "the end again, at once"),
            object=describe(descriptor),
            title=f"{title}: a spin, if this repeats" if few else title,
            severity=Severity.WARNING if few else Severity.ERROR,
            confidence=Confidence.POSSIBLE if few else sure,
            absent=[no("data" if end.waits else "data, poll, select or sleep", end.first, end.last)],
            why="a read at the end returns 0 at once, it does not wait for more; on a regular file poll and select do"
            " not wait either, so a loop around it burns a CPU: read(2), poll(2)",
            fix=_fix(descriptor),
        )

    def _polling(self, descriptor: Descriptor, end: AtEnd) -> Finding:
        number, period = descriptor.number, _period(end)
        often = "" if period is None else f", every {period:.2g} s"
        return self.finding(
            _story(descriptor, end, "still nothing, after a pause"),
            object=describe(descriptor),
            title=f"fd {number} is polled for more: {plural(end.times, 'read')} at the end{often}",
            severity=Severity.NOTE,
            confidence=Confidence.CERTAIN,
            absent=[no("data", end.first, end.last)],
            why="a read at the end returns 0 at once, so whoever wants more has to look again and again;"
            " of a regular file inotify tells when it has grown: read(2), inotify(7)",
            fix=_watch(descriptor) if descriptor.file.kind is Kind.FILE else _fix(descriptor),
        )


def _period(end: AtEnd) -> float | None:
    """Return the seconds from one read to the next, on average; None where the trace shows no times."""
    first, last = end.first.time, end.last.time
    return None if first is None or last is None else (last - first) / (end.times - 1)


def _slow(end: AtEnd) -> bool:
    period = _period(end)
    return period is not None and period >= _PERIOD


def _dense(kernel: Kernel, end: AtEnd) -> bool:
    """Whether the reads follow each other closely: without times this is all that tells a spin from other work."""
    threads = max(1, min(4, len(kernel.process_table.threads)))
    return end.last.line - end.first.line <= end.times * _OWN_WORK * threads


def _fix(descriptor: Descriptor) -> str:
    number = descriptor.number
    if descriptor.file.kind is Kind.FILE:
        return f"leave the loop when a read of fd {number} gives 0; to follow a file that grows, use inotify"
    return f"leave the loop when a read of fd {number} gives 0: what has ended gives nothing more"


def _watch(descriptor: Descriptor) -> str:
    path = descriptor.file.path or "the file"
    return f"watch {path} with inotify (IN_MODIFY), and read fd {descriptor.number} when it has changed"


def _story(descriptor: Descriptor, end: AtEnd, again: str) -> Iterator[Step]:
    number = descriptor.number
    yield from birth(descriptor)
    yield step(end.first, f"fd {number} is at its end: nothing more comes of it", primary=True)
    if end.second is not None:
        yield repeated(end.second, again, end.times - 1, end.last.line)
