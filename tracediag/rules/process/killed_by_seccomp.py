"""TD503: a process killed by a seccomp filter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tracediag.evidence.complaints import target
from tracediag.evidence.faults import FAULTS, Fault, who
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import on_exit, on_signal
from tracediag.rules.faulting import FaultRule
from tracediag.trace.events import Exit, Signal, Syscall

_CERTAIN = Confidence.CERTAIN
_NEAR = 1
_TOLD = "TD503 told"
_CALL = re.compile(r"\bsi_syscall=(?:__NR_)?(\w++)")


class KilledBySeccomp(FaultRule):
    """SIGSYS, or a kill by a filter or by strict mode: which call it was, and where the filter was put in place."""

    code = "TD503"
    name = "killed-by-seccomp"
    severity = Severity.ERROR
    summary = "a seccomp filter kills the process for a call that it does not allow"

    deadly = FAULTS

    @on_signal("SIGSYS")
    def struck(self, action: Action) -> None:
        """Take down a SIGSYS: a handler may answer for the call."""
        signal = action.event
        assert isinstance(signal, Signal)
        action.process.memory[self.name] = Fault(signal, action.thread, action.thread.last_call, None)

    def diagnose(self, process: Process, fault: Fault, end: Exit | None, confidence: Confidence) -> Finding | None:
        """Tell of a SIGSYS that ended the process, or that its handler took for the end."""
        if fault.code not in ("SYS_SECCOMP", "1", ""):
            return None
        process.memory[_TOLD] = True
        found = _CALL.search(fault.signal.info)
        name = found[1] if found is not None else None
        last = fault.last
        # A call that succeeded to all appearance, and that no rule wants to see, is not among those known.
        call = last if last is not None and (name is None or last.name == name) else None
        return self._finding(process, call, name, fault.signal, end, confidence)

    @on_exit
    def killed(self, action: Action) -> Iterator[Finding]:
        """Tell of a kill without a signal: the last call of the thread that died first is the one."""
        end, process, call = action.event, action.process, action.thread.last_call
        assert isinstance(end, Exit)
        if self.name in process.memory or _TOLD in process.memory or call is None:
            return
        if end.signal == "SIGSYS" or (
            end.signal == "SIGKILL" and process.seccomp is not None and process.seccomp.strict
        ):
            process.memory[_TOLD] = True
            # A call that nobody has asked to see may stand between: then the last one known is not the one.
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
        named = name or "the call"
        shown = f"{named} of {what}" if what and call is not None and call.name == name else named
        return self.finding(
            _story(None if process.seccomp is None else process.seccomp.call, call, signal, end, named),
            object=who(process),
            title=f"a seccomp filter does not allow {shown}, and the process is killed",
            confidence=confidence,
            why=_WHY,
            fix=f"allow {named} in the filter, or do what needs it before the filter is put in place; let the filter's"
            " default be SECCOMP_RET_ERRNO or SECCOMP_RET_LOG while looking for what else is missing",
            explains=[]
            if end is None
            else [(name, end.line) for name in ("killed-from-outside", "child-failure-behind")],
        )


_WHY = (
    "a filter judges each call before it is made: SECCOMP_RET_KILL ends the process or thread as if by SIGSYS, and"
    " SECCOMP_RET_TRAP sends SIGSYS with the number of the call in si_syscall: seccomp(2)"
)


def _story(
    given: Syscall | None, call: Syscall | None, signal: Signal | None, end: Exit | None, name: str
) -> Iterator[Step]:
    if given is not None and given is not call:
        yield step(given, "the filter is put in place")
    if call is not None:
        yield step(call, f"{name} is not allowed by the filter", primary=True)
    if signal is not None:
        yield step(signal, f"SIGSYS names the call: {name}", primary=call is None)
    if end is not None:
        how = f"is killed by {end.signal}" if end.signal else f"exits with status {end.status} from its own handler"
        yield step(end, f"the process {how}", primary=call is None and signal is None)
