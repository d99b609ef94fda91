"""TD512: a process that fails because its child failed."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.complaints import report_step
from tracediag.evidence.names import named, program_name
from tracediag.evidence.remedies import failure_of
from tracediag.evidence.verdict import Verdict, chain
from tracediag.evidence.verdicts import final, is_orphan
from tracediag.kernel import Kernel
from tracediag.kernel.calls.transfer import BROKEN
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_process_end, on_trace_end
from tracediag.rules.readings import fix_of
from tracediag.trace.calls import FORKS
from tracediag.trace.records import Exit

_SYMPTOMS = ("write-after-peer-closed", "send-without-nosignal", "peer-reset", "use-after-reset")
_STEPS = 6
_ORPHANS = 64
"""Ended processes without a known parent that are kept until the trace ends: a wait may show the parent."""


class ChildFailureBehind(Rule):
    """A process fails because its child failed: traced down to the child's own failed call."""

    code = "TD512"
    name = "child-failure-behind"
    severity = Severity.ERROR
    summary = "a process fails because its child failed: traced down to the failed call of the child"
    raised_by = (FORKS,)

    def __init__(self) -> None:
        self._orphans: list[tuple[Process, Finding]] = []

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge an ended process, unless its parent is running and may have expected the failure."""
        if end.event is None:
            return
        process, verdict = end.process, self.scope.verdicts.judge(end.process)
        if not final(process) or not verdict.bad or verdict.child is None or verdict.end is None:
            return
        found = self._caused(verdict, verdict.child)
        if end.exit is not None and is_orphan(process, end.kernel) and len(self._orphans) < _ORPHANS:
            self._orphans.append((process, found))
        else:
            yield found

    @on_trace_end
    def over(self, kernel: Kernel) -> Iterator[Finding]:
        """Report the orphans, except those that a wait has shown to be children: they are part of a longer chain."""
        del kernel
        yield from (found for process, found in self._orphans if process.parent is None)

    def _caused(self, top: Verdict, child: Verdict) -> Finding:
        bottom = top.depth
        assert top.end is not None
        steps = [*_reason(bottom), *_ends(child)]
        if top.blame is not None and top.blame.call.errno in BROKEN:
            call, closed = top.blame.call, "the child has closed its end" if child.held else "the other end is closed"
            steps.append(step(call, f"the parent's {call.name} fails with {call.errno}: {closed}"))
        steps.append(step(top.end, f"the parent {top.manner}"))
        symptoms = [] if top.blame is None else [(name, top.blame.call.line) for name in _SYMPTOMS]
        return self.finding(
            steps if len(steps) <= _STEPS else [*steps[: _STEPS - 1], steps[-1]],
            object=f"{named(top.program, top.pid)} and child {named(bottom.program, bottom.pid)}",
            title=f"{_name(top)} {top.manner} because child {_name(bottom)} {bottom.manner}",
            severity=Severity.ERROR if _failed(bottom) else Severity.NOTE,
            confidence=_confidence(top, child),
            why=_why(top, child),
            fix=_fix(bottom),
            explains=symptoms,
        )


def _why(top: Verdict, child: Verdict) -> str:
    if top.blame is not None and top.blame.call.errno in BROKEN:
        return (
            "a write fails with EPIPE as soon as the last reader has closed the pipe or socket: the writer's error is"
            " only a symptom of the reader's exit: pipe(7)"
        )
    if child.signal is not None and top.signal is None:
        return "a shell exits with status 128 + n when signal n kills its command: bash(1), EXIT STATUS"
    return (
        "a wait status holds 8 bits of exit status or the number of a signal, and no error: the reason for a failure"
        " stays in the child: wait(2)"
    )


def _failed(bottom: Verdict) -> bool:
    """Whether the child's end was a failure, and not an answer like that of grep or test."""
    if not bottom.followed and bottom.status != 1:
        return True  # of a child that is not followed the trace shows no message, and few answers are no 1
    return bottom.blame is not None or bottom.complaint is not None or bottom.signal is not None


def _confidence(top: Verdict, child: Verdict) -> Confidence:
    passed_on = child.signal is None and child.status == top.status
    sure = child.held or (passed_on and child.waited is not None)
    return Confidence.CERTAIN if sure and top.from_start else Confidence.LIKELY


def _name(verdict: Verdict) -> str:
    return program_name(verdict.program) or f"process {verdict.pid}"


def _reason(bottom: Verdict) -> Iterator[Step]:
    """Yield what went wrong in the child: its failed call, or else its message."""
    if bottom.blame is not None:
        call = bottom.blame.call
        yield step(call, f"in the child, {failure_of(bottom.blame)}")
        if bottom.blame.message is not None:
            yield report_step(bottom.blame.message, named=bottom.blame.named, subject="child")
    elif bottom.complaint is not None:
        yield report_step(bottom.complaint, named=False, subject="child")


def _ends(child: Verdict) -> Iterator[Step]:
    """Yield the ends of the children, the lowest first, and the wait of its parent."""
    for link in reversed(list(chain(child))):
        if link.end is None:
            continue
        told = "the parent is told that child {}" if not link.followed else "the child"
        yield step(link.end, f"{told.format(link.pid)} {link.manner}", primary=link.child is None)
        if link.waited is not None and link.child is None:
            waiting = link.waited.line < link.end.line
            yield step(link.waited, "the parent waits for the child" if waiting else "the parent collects the status")


def _fix(bottom: Verdict) -> str:
    name = _name(bottom)
    if not bottom.followed:
        return f"record with -f to see why child {bottom.pid} {bottom.manner}"
    if bottom.blame is not None:
        return f"start at line {bottom.blame.call.line}, in {name}: {fix_of(bottom.blame)}"
    if isinstance(bottom.end, Exit) and bottom.signal is not None:
        return f"find out why {name} is killed by {bottom.signal} at line {bottom.end.line}"
    if bottom.complaint is not None:
        return f"find out why {name} {bottom.manner}: the last message on fd 2 is at line {bottom.complaint.line}"
    return f"run {name} alone to see why the command {bottom.manner}"
