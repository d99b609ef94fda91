"""TD517: the failed call that caused a bad exit."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence import set_id
from tracediag.evidence.blame import Blame, find_blame, placed
from tracediag.evidence.complaints import report_step
from tracediag.evidence.exits import end_step
from tracediag.evidence.names import named, process_name, program_name, subject
from tracediag.evidence.remedies import failure_of, object_of
from tracediag.evidence.replies import Answered, answered
from tracediag.evidence.verdict import Verdict, failures
from tracediag.evidence.verdicts import ceiling, final, is_orphan, outlives
from tracediag.kernel import Kernel
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_process_end, on_trace_end
from tracediag.rules.failing import failure_rules, page_of, steps_before, told
from tracediag.rules.process._aftermath import at_work, carries_on, hidden_by, lacks_command
from tracediag.rules.readings import fix_of, why_of
from tracediag.trace.calls import CHDIRS, EXECS, READS
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit

_ORPHANS = 64
"""Ended processes without a known parent that are kept until the end of the first process is known."""


class FailedCallBehindExit(Rule):
    """A process exits with a status other than 0: the failed call that its message reports, or the nearest one."""

    code = "TD517"
    name = "failed-call-behind-exit"
    severity = Severity.ERROR
    summary = "a process exits with a failure status or reports an error: the failed call that caused it"

    def __init__(self) -> None:
        self._orphans: list[tuple[Process, Verdict]] = []

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge an ended process with its children, and a running one by the errors that it reports."""
        process = end.process
        if not process.ended_badly:
            yield from map(self._replied, answered(process))
        if end.event is None:
            known = Severity.WARNING if process.execs or process.started is not None else Severity.ERROR
            yield from self._complained(process, end.line, known)
            return
        verdict = self.scope.verdicts.judge(process)
        if end.exit is not None and is_orphan(process, end.kernel):
            if (verdict.bad or verdict.tolerated) and len(self._orphans) < _ORPHANS:
                self._orphans.append((process, verdict))
        elif final(process):
            late = outlives(process, end.kernel)
            yield from self._reported(verdict, Severity.WARNING if late else Severity.ERROR)
        if end.exit is not None and not process.ended_badly:
            yield from self._complained(process, end.line, Severity.NOTE)
            if not self.scope.starts and (read := _read_directory(process)) is not None:
                yield self._odd(placed(Blame(read, None, named=False, confidence=Confidence.LIKELY), process))

    @on_trace_end
    def over(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge the rest: orphans, and the ended children of running processes."""
        for process, verdict in self._orphans:
            if process.parent is not None:
                continue  # a wait has shown the parent, which is judged with it
            yield from self._reported(verdict, ceiling(verdict, kernel))
        for verdict in self.scope.verdicts.unsettled(kernel):
            yield from self._reported(verdict)

    def _reported(self, verdict: Verdict, at_most: Severity = Severity.ERROR) -> Iterator[Finding]:
        for found, judged in failures(verdict):
            if found.end is not None and (
                found.lost is not None or (found.blame is not None and found.blame.by_strace)
            ):
                yield self._stripped(found, found.end)
            elif found.blame is not None and found.end is not None and _tells(found, found.blame):
                severity = _milder(judged, at_most)
                guess = found.blame.confidence is Confidence.POSSIBLE and at_most is not Severity.ERROR
                hidden = "" if found is verdict else hidden_by(verdict, found.blame)
                severity = Severity.WARNING if hidden and severity is Severity.NOTE else severity
                yield self._caused(found, found.blame, Severity.NOTE if guess else severity, hidden)

    def _replied(self, found: Answered) -> Finding:
        """Report a failure that the server answers with an error: the reply is all that the client knows of it."""
        told_so = f"the client gets {found.status}"
        finding = self.finding(
            [*_story(found.blame), step(found.reply, f"the server replies: {found.status}")],
            object=object_of(found.blame) or found.blame.call.name,
            title=_reported(found.blame, told_so),
            severity=Severity.WARNING,
            confidence=found.blame.confidence,
            why=why_of(found.blame),
            fix=fix_of(found.blame),
        )
        return self._under_page(finding, found.blame)

    def _caused(self, verdict: Verdict, blame: Blame, severity: Severity, hidden: str = "") -> Finding:
        assert verdict.end is not None
        doubtful = blame.confidence is Confidence.POSSIBLE and severity is Severity.ERROR
        known = blame.confidence is not Confidence.POSSIBLE
        end = f"{program_name(verdict.program) or 'the process'} {verdict.manner}"
        found = self.finding(
            [*_story(blame), end_step(verdict.end)],
            object=named(verdict.program, verdict.pid),
            title=_joined(blame, end, known=known) + hidden,
            severity=Severity.WARNING if doubtful else severity,
            confidence=blame.confidence if verdict.from_start else max(blame.confidence, Confidence.LIKELY, key=_rank),
            why=why_of(blame),
            fix=fix_of(blame) + (_TEST if hidden else ""),
            explains=[
                ("child-failure-behind", verdict.end.line),
                *(("crashed", line) for line in (verdict.end.line - 1, verdict.end.line) if verdict.signal),
            ],
        )
        return self._under_page(found, blame)

    def _under_page(self, finding: Finding, blame: Blame) -> Finding:
        """Give a finding the name of the page about its call, unless only this rule was asked for."""
        page = page_of(blame)
        if page is None or self.selected.isdisjoint(rule.name for rule in failure_rules()):
            return finding
        return msgspec.structs.replace(finding, code=page.code, name=page.name)

    def _stripped(self, verdict: Verdict, end: Exit | Syscall) -> Finding:
        """Report a program that strace has run without the privileges of its file: no fault of the program."""
        blame, lost = verdict.blame, verdict.lost
        known = blame is not None and blame.by_strace
        steps = _story(blame) if blame is not None and known else []
        if lost is not None and all(lost.line != one.line for one in steps):
            steps.append(step(lost, "the program reports what it lacks", primary=not known))
        because = f": {failure_of(blame)}" if blame is not None and known else ""
        return self.finding(
            [*sorted(steps, key=lambda one: one.line), end_step(end)],
            object=named(verdict.program, verdict.pid),
            title=f"{program_name(verdict.program) or 'the process'} {verdict.manner},"
            f" without the privileges that strace takes away{because}",
            severity=Severity.NOTE,
            confidence=Confidence.LIKELY,
            why=set_id.WHY,
            fix=set_id.fix(verdict.program),
            explains=[("child-failure-behind", end.line)],
        )

    def _odd(self, blame: Blame) -> Finding:
        """Report a call that failed and that no program means, though nothing shows that it mattered."""
        found = self.finding(
            _story(blame),
            object=blame.call.name,
            title=told(blame),
            severity=Severity.NOTE,
            confidence=blame.confidence,
            why=why_of(blame),
            fix=fix_of(blame),
        )
        return self._under_page(found, blame)

    def _complained(self, process: Process, end: int, severity: Severity) -> Iterator[Finding]:
        """Report a call whose error was printed by a process that is not known to have failed."""
        if not process.messages:
            return  # most processes: nothing to weigh
        blame = find_blame(process, end, ended=False, pasted=self.scope.is_excerpt)
        if blame is not None:
            if severity is Severity.ERROR and blame.message is not None and at_work(process, blame.message.line):
                severity = Severity.NOTE  # it waits for other work or starts some, and is not about to exit
            astray = blame.call.name in CHDIRS and carries_on(process, blame.call)
            absent = lacks_command(process, blame)
            severity = min(severity, Severity.WARNING, key=_harm) if astray or absent else severity
            what = _ASTRAY if astray else _WITHOUT if absent else "reports an error"
            found = self.finding(
                _story(blame),
                object=process_name(process),
                title=_reported(blame, f"{subject(process)} {what}"),
                severity=severity if blame.named else _milder(severity, Severity.WARNING),
                confidence=Confidence.POSSIBLE if blame.confidence is Confidence.POSSIBLE else Confidence.LIKELY,
                why=why_of(blame),
                fix=fix_of(blame),
            )
            yield self._under_page(found, blame)


def _tells(verdict: Verdict, blame: Blame) -> bool:
    """Whether a failed call tells why a process ended: by its status, or by a crash after an execve that failed."""
    return verdict.signal is None or blame.call.name in EXECS


def _read_directory(process: Process) -> Syscall | None:
    """Return a read of a directory, which no program means, of a process that ends well."""
    odd = (call for call in process.failures if call.errno == "EISDIR" and call.name in READS)
    return next(odd, None)


_rank = list(Confidence).index
_harm = list(Severity).index

_ASTRAY = "reports an error and carries on in the old directory"
_WITHOUT = "reports an error and carries on without the command"
_TEST = "; test the status of the command, in a shell with set -e: the job has lost its result"


def _joined(blame: Blame, end: str, *, known: bool) -> str:
    """Return what failed and how the process ended; what a page has to say of the call comes first."""
    if page_of(blame) is None:
        return f"{end}{'' if known else ', perhaps'} because {failure_of(blame)}"
    return f"{told(blame)}; {'' if known else 'perhaps the reason why '}{end}"


def _reported(blame: Blame, what: str) -> str:
    return f"{what}: {failure_of(blame)}" if page_of(blame) is None else f"{told(blame)}; {what}"


def _milder(one: Severity, other: Severity) -> Severity:
    return max(one, other, key=_harm)


def _story(blame: Blame) -> list[Step]:
    steps = [*steps_before(blame), step(blame.call, failure_of(blame), primary=True)]
    if blame.message is not None:
        steps.append(report_step(blame.message, named=blame.named))
    return steps
