"""TD504: a file that may not grow beyond RLIMIT_FSIZE."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.faults import Fault, who
from tracediag.kernel import Action
from tracediag.kernel.process import Limit, Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.signals import Disposition
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import on_errno, on_process_end, on_signal
from tracediag.rules.faulting import FaultRule
from tracediag.trace.events import Exit, Signal, Syscall

_REFUSED = "TD504 refused"
_TOLD = "TD504 told"


class FileSizeLimit(FaultRule):
    """SIGXFSZ; or EFBIG in a process that ignores SIGXFSZ, or whose RLIMIT_FSIZE the trace shows."""

    code = "TD504"
    name = "file-size-limit"
    severity = Severity.ERROR
    summary = "a file would grow beyond the limit RLIMIT_FSIZE: SIGXFSZ or EFBIG"

    @on_errno("EFBIG")
    def refused(self, action: Action) -> None:
        """Remember the first call that was refused, and on what."""
        what = None if action.descriptor is None else action.descriptor.file.path
        action.process.memory.setdefault(_REFUSED, (action.call, what))

    @on_signal("SIGXFSZ")
    def struck(self, action: Action) -> None:
        """Take down the signal; what comes of it shows at the end."""
        signal = action.event
        assert isinstance(signal, Signal)
        action.process.memory.setdefault(self.name, Fault(signal, action.thread, action.thread.last_call, None))

    def diagnose(self, process: Process, fault: Fault, end: Exit | None, confidence: Confidence) -> Finding | None:
        """Tell of a signal that ended the process."""
        process.memory[_TOLD] = True
        call, what = process.memory.get(_REFUSED, (None, None))
        return self._finding(process, call, what, fault.signal, end, confidence, Severity.ERROR)

    @on_process_end
    def gave_up(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report a refusal that did not kill."""
        if _REFUSED in end.process.memory:
            yield from self._refusal(end.process, end.exit)

    def _refusal(self, process: Process, end: Exit | None) -> Iterator[Finding]:
        fault: Fault | None = process.memory.get(self.name)
        ignored = process.signals.get("SIGXFSZ") not in (None, Disposition.DEFAULT)
        limited = _limit(process) is not None
        if _TOLD in process.memory or not (fault is not None or ignored or limited):
            return
        call, what = process.memory[_REFUSED]
        process.memory[_TOLD] = True
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
        size = "" if limit is None or limit.soft is None else f" of {limit.soft} bytes"
        return self.finding(
            _story(limit, call, signal, end),
            object=who(process),
            title=f"{name} may not grow beyond the file size limit{size}",
            severity=severity,
            confidence=confidence,
            why=_WHY,
            fix="raise the limit where the program is started: ulimit -f unlimited, LimitFSIZE=infinity, or"
            " limits.conf; a 32-bit program that stops at 2 GiB needs -D_FILE_OFFSET_BITS=64",
            explains=_explained(call, signal, end),
        )


_WHY = (
    "a write or ftruncate beyond RLIMIT_FSIZE sends SIGXFSZ, whose default is to kill; where that is caught or ignored"
    " the call fails with EFBIG: setrlimit(2)"
)


def _explained(call: Syscall | None, signal: Signal | None, end: Exit | None) -> Iterator[tuple[str, int]]:
    if call is not None:
        yield from ((name, call.line) for name in ("failed-call-behind-exit", "write-error-ignored", "file-too-large"))
        yield from ((name, call.line) for name in ("failed-call", "short-write-lost"))
    if end is not None:
        yield from ((name, end.line) for name in ("child-failure-behind", "killed-from-outside"))
    del signal


def _limit(process: Process) -> Limit | None:
    limit = process.limits.get("RLIMIT_FSIZE")
    return limit if limit is not None and limit.soft is not None else None


def _story(limit: Limit | None, call: Syscall | None, signal: Signal | None, end: Exit | None) -> Iterator[Step]:
    if limit is not None:
        yield step(limit.call, f"no file may grow beyond {limit.soft} bytes")
    if call is not None:
        yield step(call, "the file would grow beyond the limit", primary=signal is None)
    if signal is not None:
        yield step(signal, "the kernel sends SIGXFSZ for it", primary=True)
    if end is not None:
        yield step(
            end, f"the process is killed by {end.signal}" if end.signal else f"it exits with status {end.status}"
        )
