"""TD412: repeated reads at end of file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from tracediag.evidence.cases import Cases
from tracediag.evidence.runs import READS_AT_END, Bounds, Run, confidence, severity_of
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import MESSAGES, AtEnd, Descriptor, Kind, OpenFile
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end, on_release
from tracediag.trace.calls import IDLES, WAITS
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.quantities import plural, seconds

_SETS = lazy_pattern(r"\bTCSETS[WF]?\b")
_HABIT = 10
"""Reads from which a program counts as polling."""


class ReadsAfterEnd(Rule):
    """read returns 0 over and over on a file, a pipe or a terminal, outside any event loop."""

    code = "TD412"
    name = "reads-after-end"
    severity = Severity.ERROR
    summary = "a program keeps reading at end of file: a busy loop, or polling"
    rests_on = WAITS | IDLES
    bounds: ClassVar[Bounds] = READS_AT_END

    def __init__(self) -> None:
        self._raw: Cases[OpenFile, bool] = Cases()
        """Whether a terminal was put into raw mode."""
        self._known: Cases[OpenFile, AtEnd] = Cases()
        """The reads that were judged already: several descriptors may share a file."""

    @on_call("ioctl")
    def tuned(self, action: Action) -> None:
        """Note a terminal that is put into raw mode: with VMIN=0 a read of 0 bytes is no end of file, termios(3)."""
        if action.descriptor is not None and "c_lflag=" in action.call.body and _SETS.search(action.call.body):
            raw = not action.call.has("ICANON")
            self._raw[action.descriptor.file] = raw

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """Judge the descriptors that are closed."""
        for descriptor in action.released:
            yield from self._judged(action.kernel, descriptor)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the descriptors that were still open; each run of reads is reported once."""
        for descriptor in end.held:
            yield from self._judged(end.kernel, descriptor)

    def _judged(self, kernel: Kernel, descriptor: Descriptor) -> Iterator[Finding]:
        file, bounds = descriptor.file, self.bounds
        end = file.most_at_end
        if end is None or end.times < bounds.few or self._known.get(file) is end:
            return
        self._known[file] = end
        # Rules about event loops report reads after a wakeup; message-based descriptors may deliver empty messages.
        if descriptor.waited_for or file.kind in MESSAGES or self._raw.get(file):
            return
        run = Run(end.first, end.last, second=end.second, times=end.times)
        if end.waits * 2 >= end.times or run.slower(bounds.slow):
            if end.times >= _HABIT:
                yield self._polling(descriptor, run)
            return
        sure = confidence(run, bounds, excerpt=self.scope.excerpt)
        # Without times only the density of the lines distinguishes a spin from reads between other work.
        dense = run.last.line - run.first.line <= run.times * bounds.reach(kernel)
        if sure is Confidence.CERTAIN and not run.faster(bounds.fast):
            sure = Confidence.LIKELY if run.period is not None or dense else None
        if sure is not None:
            yield self._spinning(descriptor, run, sure, waits=end.waits > 0)

    def _spinning(self, descriptor: Descriptor, run: Run, sure: Confidence, *, waits: bool) -> Finding:
        seen = f"{name(descriptor)} is read {plural(run.times, 'time')} at end of file without a wait"
        return self.finding(
            _story(descriptor, run, "end of file again: no wait in between"),
            object=describe(descriptor),
            title=self.bounds.title(run.times, "the loop busy-waits", seen),
            severity=severity_of(sure),
            confidence=sure,
            absent=[no("data" if waits else "data, poll, select or sleep", run.first, run.last)],
            why="read at end of file returns 0 immediately, and poll and select report end of file as ready to read, so"
            " a loop around read uses a whole CPU: read(2), select(2)",
            fix=_fix(descriptor),
        )

    def _polling(self, descriptor: Descriptor, run: Run) -> Finding:
        often = "" if run.period is None else f", one every {seconds(run.period)}"
        return self.finding(
            _story(descriptor, run, "end of file again, after a pause"),
            object=describe(descriptor),
            title=f"{name(descriptor)} is polled for new data: {plural(run.times, 'read')} at end of file{often}",
            severity=Severity.NOTE,
            confidence=Confidence.CERTAIN,
            absent=[no("data", run.first, run.last)],
            why="read at end of file does not wait for new data; inotify reports when a regular file has grown:"
            " read(2), inotify(7)",
            fix=_watch(descriptor) if descriptor.file.kind is Kind.FILE else _fix(descriptor),
        )


def _fix(descriptor: Descriptor) -> str:
    number = descriptor.number
    if descriptor.file.kind is Kind.FILE:
        return f"leave the loop when read on fd {number} returns 0; to follow a growing file, use inotify"
    return f"leave the loop when read on fd {number} returns 0: no more data follows"


def _watch(descriptor: Descriptor) -> str:
    path = descriptor.file.path or "the file"
    return (
        f"watch {path} with inotify (IN_MODIFY) and read fd {descriptor.number} after each event; none needed if"
        " polling was intended"
    )


def _story(descriptor: Descriptor, run: Run, again: str) -> Iterator[Step]:
    number = descriptor.number
    yield from birth(descriptor)
    yield step(run.first, f"read returns 0: fd {number} is at end of file", primary=True)
    yield from run.again(again)
