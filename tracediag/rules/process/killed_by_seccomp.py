"""TD503: a process killed by a seccomp filter."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import target
from tracediag.evidence.exits import manner
from tracediag.evidence.faults import FAULTS, Fault
from tracediag.evidence.names import process_name
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import on_exit, on_signal
from tracediag.rules.faulting import FaultRule
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Exit, Signal

_CERTAIN = Confidence.CERTAIN
_NEAR = 1
_CALL = lazy_pattern(r"\bsi_syscall=(?:__NR_)?(\w++)")


class KilledBySeccomp(FaultRule):
    """SIGSYS, or a kill by a filter or by strict mode: which call it was, and where the filter was installed."""

    code = "TD503"
    name = "killed-by-seccomp"
    severity = Severity.ERROR
    summary = "a seccomp filter kills the process for a call that it does not allow"

    deadly = FAULTS

    def __init__(self) -> None:
        super().__init__()
        self._told: Cases[Process, None] = Cases()

    @on_signal("SIGSYS")
    def struck(self, action: Action) -> None:
        """Note a SIGSYS: a handler may emulate the call."""
        signal = action.event
        assert isinstance(signal, Signal)
        self.faults[action.process] = Fault(signal, action.thread, action.thread.last_call, None)

    def diagnose(self, process: Process, fault: Fault, end: Exit | None, confidence: Confidence) -> Finding | None:
        """Report a SIGSYS that ended the process, or that the handler exits for."""
        if fault.code not in ("SYS_SECCOMP", "1", ""):
            return None
        self._told[process] = None
        found = _CALL.search(fault.signal.info)
        name = found[1] if found is not None else None
        last = fault.last
        # A call that seems to have succeeded, and that no rule subscribes to, is not kept.
        call = last if last is not None and (name is None or last.name == name) else None
        return self._finding(process, call, name, fault.signal, end, confidence)

    @on_exit
    def killed(self, action: Action) -> Iterator[Finding]:
        """Report a kill without a signal: the last call of the thread that died first is the reason."""
        end, process, call = action.event, action.process, action.thread.last_call
        assert isinstance(end, Exit)
        if process in self.faults or process in self._told or call is None:
            return
        if end.signal == "SIGSYS" or (
            end.signal == "SIGKILL" and process.seccomp is not None and process.seccomp.strict
        ):
            self._told[process] = None
            # A call that no rule subscribes to may stand between: then the last known call is not the reason.
            known = call.result is None or end.line - call.line <= _NEAR
            yield self._finding(process, call if known else None, call.name if known else None, None, end, _CERTAIN)

    def _finding(  # the parts of the story
        self,
        process: Process,
        call: Syscall | None,
        name: str | None,
        signal: Signal | None,
        end: Exit | None,
        confidence: Confidence,
    ) -> Finding:
        what = None if call is None else target(call)
        named = name or "a call not shown"
        shown = f"{named} of {what}" if what and call is not None and call.name == name else named
        strict = process.seccomp is not None and process.seccomp.strict
        ended = "ended" if end is not None and end.signal is None else "killed"
        return self.finding(
            _story(None if process.seccomp is None else process.seccomp.call, call, signal, end, named),
            object=process_name(process),
            title=f"{ended} by {'seccomp strict mode' if strict else 'a seccomp filter'}: {shown} is not allowed",
            confidence=confidence,
            why=_STRICT if strict else _WHY,
            fix=_fix(name, strict=strict),
            explains=[]
            if end is None
            else [(name, end.line) for name in ("killed-from-outside", "child-failure-behind")],
        )


_WHY = (
    "SECCOMP_RET_KILL_THREAD and SECCOMP_RET_KILL_PROCESS kill before the call is made and cannot be caught;"
    " SECCOMP_RET_TRAP sends a SIGSYS that a handler may catch: seccomp(2)"
)
_STRICT = (
    "SECCOMP_MODE_STRICT allows only read, write, _exit and sigreturn, not even exit_group; any other call is answered"
    " with SIGKILL: seccomp(2)"
)


def _fix(name: str | None, *, strict: bool) -> str:
    if name is None:
        return (
            "find the number of the call in the kernel log (journalctl -k, or ausearch -m SECCOMP), then allow the call"
        )
    if strict:
        return f"make the call before strict mode is entered, or use SECCOMP_MODE_FILTER and allow {name}"
    return (
        f"allow {name} in the filter, or make the call before the filter is installed; to find other missing calls, set"
        " the default action to SECCOMP_RET_LOG"
    )


def _story(
    given: Syscall | None, call: Syscall | None, signal: Signal | None, end: Exit | None, name: str
) -> Iterator[Step]:
    if given is not None and given is not call:
        yield step(given, "strict mode is entered" if given.has("SECCOMP_MODE_STRICT") else "the filter is installed")
    if call is not None:
        yield step(call, f"{name} is not allowed", primary=True)
    if signal is not None:
        yield step(signal, f"SIGSYS reports the call: {name}", primary=call is None)
    if end is not None:
        handled = "" if end.signal else " in the SIGSYS handler"
        yield step(end, f"the process {manner(end)}{handled}", primary=call is None and signal is None)
