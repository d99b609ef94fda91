"""TD504: a write that would exceed RLIMIT_FSIZE."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.exits import end_step
from tracediag.evidence.faults import Fault
from tracediag.evidence.names import process_name
from tracediag.kernel import Action
from tracediag.kernel.process import Limit, Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.signals import Disposition
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import on_errno, on_process_end, on_signal
from tracediag.rules.faulting import FaultRule
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import size
from tracediag.trace.records import Exit, Signal


class FileSizeLimit(FaultRule):
    """SIGXFSZ; or EFBIG in a process that ignores SIGXFSZ or has an RLIMIT_FSIZE in the trace."""

    code = "TD504"
    name = "file-size-limit"
    severity = Severity.ERROR
    summary = "a file would exceed the file size limit, RLIMIT_FSIZE: SIGXFSZ or EFBIG"

    def __init__(self) -> None:
        super().__init__()
        self._refused: Cases[Process, tuple[Syscall, str | None]] = Cases()
        """The first call that failed in each process, and the path of its file."""
        self._told: Cases[Process, None] = Cases()

    @on_errno("EFBIG")
    def refused(self, action: Action) -> None:
        """Remember the first call that failed, and its file."""
        what = None if action.descriptor is None else action.descriptor.file.path
        self._refused.setdefault(action.process, (action.call, what))

    @on_signal("SIGXFSZ")
    def struck(self, action: Action) -> None:
        """Note the signal; its effect shows at the end."""
        signal = action.event
        assert isinstance(signal, Signal)
        self.faults.setdefault(action.process, Fault(signal, action.thread, action.thread.last_call, None))

    def diagnose(self, process: Process, fault: Fault, end: Exit | None, confidence: Confidence) -> Finding | None:
        """Report a signal that ended the process."""
        self._told[process] = None
        call, what = self._refused.get(process, (None, None))
        return self._finding(process, call, what, fault.signal, end, confidence, Severity.ERROR)

    @on_process_end
    def survived(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report a failure that did not kill the process."""
        if end.process in self._refused:
            yield from self._refusal(end.process, end.exit)

    def _refusal(self, process: Process, end: Exit | None) -> Iterator[Finding]:
        fault = self.faults.get(process)
        ignored = process.signals.get("SIGXFSZ") not in (None, Disposition.DEFAULT)
        limited = _limit(process) is not None
        if process in self._told or not (fault is not None or ignored or limited):
            return
        call, what = self._refused[process]
        self._told[process] = None
        bad = end is not None and end.status != 0
        severity = Severity.ERROR if bad else Severity.WARNING
        sure = Confidence.CERTAIN if fault is not None or limited else Confidence.LIKELY
        yield self._finding(process, call, what, None if fault is None else fault.signal, end, sure, severity)

    def _finding(  # the parts of the story
        self,
        process: Process,
        call: Syscall | None,
        what: str | None,
        signal: Signal | None,
        end: Exit | None,
        confidence: Confidence,
        severity: Severity,
    ) -> Finding:
        name = what or "a file"
        limit = _limit(process)
        known = "" if limit is None or limit.soft is None else f", {size(limit.soft)}"
        return self.finding(
            _story(limit, call, signal, end),
            object=process_name(process),
            title=f"{name} would exceed the file size limit (RLIMIT_FSIZE{known})",
            severity=severity,
            confidence=confidence,
            why=_WHY,
            fix="raise the limit where the program is started: ulimit -f unlimited, LimitFSIZE=infinity or limits.conf",
            explains=_explained(call, end),
        )


_WHY = (
    "a write or ftruncate beyond RLIMIT_FSIZE raises SIGXFSZ, which kills by default; if the signal is caught or"
    " ignored, the call fails with EFBIG: setrlimit(2)"
)


def _explained(call: Syscall | None, end: Exit | None) -> Iterator[tuple[str, int]]:
    if call is not None:
        yield from ((name, call.line) for name in ("failed-call-behind-exit", "write-error-ignored", "file-too-large"))
        yield from ((name, call.line) for name in ("failed-call", "short-write-lost"))
    if end is not None:
        yield from ((name, end.line) for name in ("child-failure-behind", "killed-from-outside"))


def _limit(process: Process) -> Limit | None:
    limit = process.limits.get("RLIMIT_FSIZE")
    return limit if limit is not None and limit.soft is not None else None


def _story(limit: Limit | None, call: Syscall | None, signal: Signal | None, end: Exit | None) -> Iterator[Step]:
    if limit is not None:
        yield step(limit.call, f"the file size limit is {size(limit.soft or 0)}")
    if call is not None:
        yield step(call, "the file would exceed the limit", primary=signal is None)
    if signal is not None:
        yield step(signal, "the kernel sends SIGXFSZ", primary=True)
    if end is not None:
        yield end_step(end)
