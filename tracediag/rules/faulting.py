"""Signals that the CPU or the C library raises in a thread: noted when they arrive, judged at the end.

A handler may catch the signal: then the next steps of the process show whether it was expected. A handler that returns
or jumps away lets the process continue; one that exits only reports the crash.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import said_by
from tracediag.evidence.faults import FAULTS, Fault
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.signals import Disposition
from tracediag.results.findings import Confidence, Finding
from tracediag.rules.base import Rule, on_call, on_process_end, on_signal
from tracediag.trace.calls import SIGNAL_RETURNS
from tracediag.trace.records import Exit, Signal

_ORDERED = (129, 130, 143)
"""128 and the number of SIGHUP, SIGINT or SIGTERM: the status of a program that ends on such an order."""
_HANDLER = 60
"""Lines within which a handler that reports a crash ends the process: a thread with later calls has not crashed."""


class FaultRule(Rule):
    """A rule about a process that such a signal ends; a subclass words the finding in `diagnose`."""

    deadly: ClassVar[tuple[str, ...]] = ("SIGABRT",)
    """The signals with which a handler of the first one ends the process."""

    def __init__(self) -> None:
        self.faults: Cases[Process, Fault] = Cases()
        """The signal that may end each process."""
        self._handled: Cases[Process, Fault] = Cases()
        """The last such signal whose handler returned."""

    def diagnose(self, process: Process, fault: Fault, end: Exit | None, confidence: Confidence) -> Finding | None:
        """Return the finding, or None where the fault is of another kind.

        Args:
            process: the process that ended.
            fault: the first signal.
            end: the exit; None where the trace ends with the signal.
            confidence: how sure it is that the signal was not expected.
        """
        raise NotImplementedError

    @on_signal(*FAULTS)
    def struck(self, action: Action) -> None:
        """Note the signal; what a crash handler sends before it exits, to any thread, is not the crash."""
        signal, process = action.event, action.process
        assert isinstance(signal, Signal)
        known = self.faults.get(process)
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
        former: Fault | None = self._handled.get(process)
        if former is not None and fault.by_process and not fault.sent and _follows(former, fault):
            # A signal that the handler sent was blocked while it ran, and arrives when it returns.
            former.passed_on = True
            fault = former
        self.faults[process] = fault

    @on_call(*SIGNAL_RETURNS)
    def returned(self, action: Action) -> None:
        """The handler has returned: it repaired the cause, or the signal will come again."""
        known = self.faults.get(action.process)
        if known is not None and known.thread is action.thread and not known.passed_on:
            self._handled[action.process] = self.faults.pop(action.process)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge a process that has ended, or one without calls of the thread after the signal."""
        fault = self.faults.get(end.process)
        confidence: Confidence | None = None
        if fault is None and self._caught(end):
            fault, confidence = self._handled.get(end.process), Confidence.LIKELY
        elif fault is not None:
            confidence = self._confidence(fault, end.exit)
        if fault is None or fault.sent:
            return
        found = None if confidence is None else self.diagnose(end.process, fault, end.exit, confidence)
        if found is not None:
            yield found

    def _caught(self, end: ProcessEnd) -> bool:
        """Whether a runtime has caught the signal, and the program reports that and exits, as those in Go do."""
        fault = self._handled.get(end.process)
        if fault is None or fault.by_process or not end.process.status:
            return False
        fault.reported = said_by(end.process, fault.signal.line).says(fault.signal.name.lower(), "segmentation")
        return fault.reported is not None

    def _repairs(self, fault: Fault) -> bool:
        """Whether the process has a handler that repaired such a fault before: the memory of a garbage collector."""
        process, former = fault.thread.process, self._handled.get(fault.thread.process)
        if former is None or former is fault or former.signal.name != fault.signal.name or fault.by_process:
            return False
        installed = process.signals.get(fault.signal.name) is Disposition.HANDLED
        return installed and former.address != fault.address

    def _confidence(self, fault: Fault, end: Exit | None) -> Confidence | None:
        """Return how sure it is that the signal ended the process; None where it did not."""
        if end is None:
            cut = fault.thread.last_call is fault.last and not self._repairs(fault)
            return Confidence.LIKELY if cut else None
        if end.signal in (fault.signal.name, *self.deadly):
            return Confidence.CERTAIN
        order = fault.thread.process.order
        if end.status in _ORDERED or (order is not None and order.line > fault.signal.line):
            return None  # it was told to end, and did
        last = fault.thread.last_call
        at_work = last is not None and last is not fault.last and last.line - fault.signal.line > _HANDLER
        if at_work or (last is not fault.last and not self.scope.records(SIGNAL_RETURNS)):
            return None  # the thread kept running: a handler may have returned unseen
        return Confidence.LIKELY if end.status else None


def _follows(former: Fault, fault: Fault) -> bool:
    """Whether the second of two like signals comes when the handler of the first returns."""
    same = former.thread is fault.thread and former.signal.name == fault.signal.name
    return same and fault.last is not None and fault.last.name in SIGNAL_RETURNS
