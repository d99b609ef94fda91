"""TD521: a signal frame that cannot be written, or cannot be restored."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.exits import end_step
from tracediag.evidence.faults import Fault
from tracediag.evidence.names import process_name
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import on_call
from tracediag.rules.faulting import FaultRule
from tracediag.trace.calls import SIGNAL_RETURNS
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit, Signal
from tracediag.trace.values import Structure, bare, number_of


class SignalFrameCorrupt(FaultRule):
    """SIGSEGV from the kernel itself, right after rt_sigreturn or right after another signal."""

    code = "TD521"
    name = "signal-frame-corrupt"
    severity = Severity.ERROR
    summary = "the kernel cannot write a signal frame, or cannot restore the registers from it"

    def __init__(self) -> None:
        super().__init__()
        self._stacks: Cases[Process, Syscall] = Cases()
        """The call that set the alternate stack."""

    @on_call("sigaltstack")
    def stacked(self, action: Action) -> None:
        """Remember the alternate stack."""
        if action.call.result == 0 and not action.call.body.startswith("NULL"):
            self._stacks[action.process] = action.call

    def diagnose(self, process: Process, fault: Fault, end: Exit | None, confidence: Confidence) -> Finding | None:
        """Distinguish the two cases: the handler destroyed the frame, or it was never written."""
        if fault.signal.name != "SIGSEGV" or fault.code != "SI_KERNEL":
            return None
        last = fault.last
        if last is not None and last.name in SIGNAL_RETURNS:
            return self._finding(process, fault, end, confidence, returned=last)
        if fault.before is not None and fault.before is not fault.signal:
            return self._finding(process, fault, end, confidence, delivered=fault.before)
        return None

    def _finding(  # the parts of the finding, and which of the two cases it is
        self,
        process: Process,
        fault: Fault,
        end: Exit | None,
        confidence: Confidence,
        *,
        returned: Syscall | None = None,
        delivered: Signal | None = None,
    ) -> Finding:
        name = "" if delivered is None else delivered.name
        return self.finding(
            _story(process, self._stacks.get(process), fault, end, returned, delivered),
            object=process_name(process),
            title="the signal frame is corrupt: the kernel cannot restore the registers after the handler"
            if returned is not None
            else f"the kernel cannot write the signal frame of {name} to the stack",
            confidence=confidence,
            why=_WHY,
            fix="do not change the ucontext or write past an array in the handler; allocate an alternate stack of at"
            " least sysconf(_SC_SIGSTKSZ) bytes"
            if returned is not None
            else f"keep the stack for {name} mapped and large enough: at least sysconf(_SC_SIGSTKSZ) bytes",
            explains=[("crashed", fault.signal.line), *(() if end is None else [("child-failure-behind", end.line)])],
        )


_WHY = (
    "the kernel saves the registers in a frame on the user stack and restores them in rt_sigreturn; if either fails, it"
    " raises SIGSEGV with SI_KERNEL and no address: sigreturn(2), arch/x86/kernel/signal_64.c"
)


def _story(  # the parts of the story
    process: Process,
    stack: Syscall | None,
    fault: Fault,
    end: Exit | None,
    returned: Syscall | None,
    delivered: Signal | None,
) -> Iterator[Step]:
    if stack is not None:
        yield step(stack, "the alternate signal stack is set")
        start = _start(stack)
        gone = None if start is None else process.space.unmapped(start, stack.line)
        if gone is not None:
            yield step(gone, "the alternate stack is unmapped")
    taken = delivered if delivered is not None else fault.before or _before(fault, returned)
    if taken is not None:
        yield step(taken, f"{taken.name} is delivered" if returned is not None else f"delivery of {taken.name} starts")
    if returned is not None:
        yield step(returned, "the handler returns through the frame")
    yield step(fault.signal, "the kernel raises SIGSEGV: the frame is unusable", primary=True)
    if end is not None:
        yield end_step(end)


def _start(stack: Syscall) -> int | None:
    given = bare(stack.arg(0))
    return number_of(given.get("ss_sp")) if isinstance(given, Structure) else None


def _before(fault: Fault, returned: Syscall | None) -> Signal | None:
    earlier = fault.thread.earlier_signal
    return earlier if returned is not None and earlier is not fault.signal else None
