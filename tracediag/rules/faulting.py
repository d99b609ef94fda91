"""Signals that the processor or the C library raises against a thread: taken down when they come, judged at the end.

A handler may catch the signal: then what the process does next tells whether it was expected. One that returns or
jumps away lets the process go on; one that ends it only says how it crashed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from tracediag.evidence.faults import FAULTS, Fault
from tracediag.kernel import Action, Kernel
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Finding
from tracediag.rules.base import Rule, on_call, on_exit, on_signal, on_trace_end
from tracediag.trace.events import Exit, Signal


class FaultRule(Rule):
    """A rule about a process that such a signal ends; a subclass says what it makes of it, in `diagnose`."""

    aftermath: ClassVar[tuple[str, ...]] = ("SIGABRT",)
    """The signals by which a handler of the first one ends the process."""

    def diagnose(self, process: Process, fault: Fault, end: Exit | None, confidence: Confidence) -> Finding | None:
        """Return the finding, or None where it is nothing of this rule's kind.

        Args:
            process: whose end it is.
            fault: the signal that began it.
            end: the exit; None where the trace ends with the signal.
            confidence: how sure it is that the signal was not expected.
        """
        raise NotImplementedError

    @on_signal(*FAULTS)
    def struck(self, action: Action) -> None:
        """Take the signal down; what a crash handler sends on its way out, to any of the threads, is not the crash."""
        signal, process = action.event, action.process
        assert isinstance(signal, Signal)
        known: Fault | None = process.memory.get(self.name)
        if known is not None and signal.name == "SIGABRT":
            return
        last, before = action.thread.last_call, action.thread.earlier_signal
        if before is not None and last is not None and last.line > before.line:
            before = None
        cuts = tuple(action.kernel.cuts) if signal.name == "SIGBUS" else ()
        fault = Fault(signal, action.thread, last, before, cuts)
        if known is not None and not known.by_process and fault.by_process and not fault.sent:
            known.passed_on = True
            return
        former: Fault | None = process.memory.pop(f"{self.name} handled", None)
        if former is not None and fault.by_process and not fault.sent and _at_once(former, fault):
            # Blocked while the handler ran, what that has sent comes as soon as it returns.
            former.passed_on = True
            fault = former
        process.memory[self.name] = fault

    @on_call("rt_sigreturn", "sigreturn")
    def returned(self, action: Action) -> None:
        """The handler has returned: it had put right what was wrong, or the signal will come again."""
        known: Fault | None = action.process.memory.get(self.name)
        if known is not None and known.thread is action.thread and not known.passed_on:
            action.process.memory[f"{self.name} handled"] = action.process.memory.pop(self.name)

    @on_exit
    def exited(self, action: Action) -> Iterator[Finding]:
        """Judge a process that has ended: killed by the signal, or given up after it."""
        end, process = action.process.exit, action.process
        fault: Fault | None = process.memory.get(self.name)
        if end is None or fault is None or fault.sent:
            return
        if end.signal in (fault.signal.name, *self.aftermath):
            found = self.diagnose(process, fault, end, Confidence.CERTAIN)
        elif end.status:
            found = self.diagnose(process, fault, end, Confidence.LIKELY)
        else:
            found = None
        if found is not None:
            yield found

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge a signal after which the trace shows nothing of the thread any more."""
        for process in kernel.processes:
            fault: Fault | None = process.memory.get(self.name)
            if process.exit is None and fault is not None and fault.thread.last_call is fault.last and not fault.sent:
                found = self.diagnose(process, fault, None, Confidence.LIKELY)
                if found is not None:
                    yield found


def _at_once(former: Fault, fault: Fault) -> bool:
    """Whether the second of two like signals comes when the handler of the first returns."""
    same = former.thread is fault.thread and former.signal.name == fault.signal.name
    return same and fault.last is not None and fault.last.name in ("rt_sigreturn", "sigreturn")
