"""TD512: a child's bad end behind that of its parent."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.complaints import report_step
from tracediag.evidence.scope import Fact
from tracediag.evidence.verdicts import Verdict, chain, final, judge
from tracediag.kernel.calls.transfer import BROKEN
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_process_end
from tracediag.trace.calls import FORKS
from tracediag.trace.events import Exit

_SYMPTOMS = ("write-after-peer-closed", "send-without-nosignal", "peer-reset", "use-after-reset")
_STEPS = 6


class ChildFailureBehind(Rule):
    """A process ends badly since a child of its own has: followed down to the child's own failed call."""

    code = "TD512"
    name = "child-failure-behind"
    severity = Severity.ERROR
    summary = "a process ends badly because a child of it has: the child's failure, followed to its own failed call"
    needs = (Fact.PIDS,)
    raised_by = (FORKS,)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge a process that has ended, unless its parent lives on and may have expected that."""
        if end.event is None:
            return
        verdict = judge(end.process)
        if not final(end.process):
            return
        if verdict.bad and verdict.child is not None and verdict.end is not None:
            yield self._behind(verdict, verdict.child)

    def _behind(self, top: Verdict, child: Verdict) -> Finding:
        bottom = top.depth
        assert top.end is not None
        steps = [*_reason(bottom), *_ends(child)]
        if top.blame is not None and top.blame.call.errno in BROKEN:
            nobody = "the child gone" if child.held else "nobody at the other end"
            steps.append(step(top.blame.call, f"the parent's own call, which in the end finds {nobody}"))
        steps.append(step(top.end, f"the parent {top.manner}"))
        symptoms = [] if top.blame is None else [(name, top.blame.call.line) for name in _SYMPTOMS]
        return self.finding(
            steps if len(steps) <= _STEPS else [*steps[: _STEPS - 1], steps[-1]],
            object=f"{_name(top)} and its child, {_name(bottom)}",
            title=f"{_name(top)} {top.manner} because its child {_name(bottom)} {bottom.manner}",
            severity=Severity.ERROR if _telling(bottom) else Severity.NOTE,
            confidence=_confidence(top, child),
            why="the end of a child reaches its parent as a status, as the end of a pipe or as EPIPE, and nothing of"
            " that tells the reason, which lies in the child: wait(2), pipe(7)",
            fix=_fix(bottom),
            explains=symptoms,
        )


def _telling(bottom: Verdict) -> bool:
    """Whether the child's end was a failure, and not an answer as that of grep or test."""
    return bottom.blame is not None or bottom.complaint is not None or bottom.signal is not None


def _confidence(top: Verdict, child: Verdict) -> Confidence:
    passed_on = child.signal is None and child.status == top.status
    sure = child.held or (passed_on and child.waited is not None)
    return Confidence.CERTAIN if sure else Confidence.LIKELY


def _name(verdict: Verdict) -> str:
    program = (verdict.program or "").rpartition("/")[2]
    return program or f"process {verdict.pid}"


def _reason(bottom: Verdict) -> Iterator[Step]:
    """Yield what went wrong in the child: its failed call, or else what it said."""
    if bottom.blame is not None:
        call = bottom.blame.call
        yield step(call, f"in the child {call.name} fails with {call.errno}")
        if bottom.blame.message is not None:
            yield report_step(bottom.blame.message, named=bottom.blame.named, subject="child")
    elif bottom.complaint is not None:
        yield report_step(bottom.complaint, named=False, subject="child")


def _ends(child: Verdict) -> Iterator[Step]:
    """Yield the ends of the children, the lowest first, and how its parent learned of that one."""
    for link in reversed(list(chain(child))):
        if link.end is None:
            continue
        yield step(link.end, f"the child {link.manner}", primary=link.child is None)
        if link.waited is not None and link.child is None:
            waiting = link.waited.line < link.end.line
            yield step(link.waited, f"its parent {'waits for it' if waiting else f'learns that it {link.manner}'}")


def _fix(bottom: Verdict) -> str:
    if bottom.blame is not None:
        call = bottom.blame.call
        return f"start at line {call.line}: {_name(bottom)} needs {call.name} to succeed there, or to do without it"
    if isinstance(bottom.end, Exit) and bottom.signal is not None:
        return f"find out why {_name(bottom)} is killed by {bottom.signal} at line {bottom.end.line}"
    return f"find out why {_name(bottom)} {bottom.manner}: its last words are on fd 2"
