"""TD201: a write that raises SIGPIPE."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.signals import Disposition
from tracediag.results.findings import Absence, Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_exit, on_signal, on_trace_end, on_traffic
from tracediag.rules.socket._names import toward
from tracediag.rules.socket._sigpipe import RAISING, BrokenWrite, exposed, guarded, in_pipeline, last_written
from tracediag.trace.calls import SIGNAL_ACTIONS, SIGNAL_RETURNS
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Exit, Signal

_BEFORE = lazy_pattern(r"SIGPIPE, .*\}, \{(?:sa_handler=)?SIG_IGN\b")
"""rt_sigaction where SIGPIPE was ignored before."""
_BY_CALL = lazy_pattern(r"\bsi_code=SI_(?:TKILL|QUEUE)\b")
"""raise(3), pthread_kill(3), sigqueue(3): the kernel's own SIGPIPE has SI_USER."""


class SendWithoutNosignal(Rule):
    """A write without MSG_NOSIGNAL on a stream or pipe while SIGPIPE has its default action."""

    code = "TD201"
    name = "send-without-nosignal"
    severity = Severity.ERROR
    summary = "a write without MSG_NOSIGNAL while SIGPIPE is not ignored: a closed peer kills the process"

    def __init__(self) -> None:
        self._broken: Cases[Thread, BrokenWrite] = Cases()
        self._exposures: Cases[Process, Finding] = Cases()
        self._judged: Cases[Process, None] = Cases()
        """The processes that need no further look at their writes."""

    @on_errno("EPIPE")
    def failed(self, action: Action) -> None:
        """Remember the write that raises SIGPIPE."""
        call, thread = action.call, action.thread
        if action.descriptor is not None and call.name in RAISING and not guarded(thread, call):
            self._broken[thread] = BrokenWrite(thread, action.descriptor, call)

    @on_signal("SIGPIPE")
    def signalled(self, action: Action) -> None:
        """Remember the signal: strace shows it even where it is ignored, so it proves nothing alone."""
        if not isinstance(action.event, Signal):
            return
        thread, broken = action.thread, self._broken.get(action.thread)
        if _BY_CALL.search(action.event.info):
            if broken is not None:
                broken.again = action.event
        elif broken is None or broken.returned:
            self._broken[thread] = BrokenWrite(thread, last_written(thread), None, action.event)
        else:
            broken.signal = action.event

    @on_call(*SIGNAL_RETURNS)
    def returned(self, action: Action) -> None:
        """A handler that returns leaves EPIPE to the program, which is right."""
        if (broken := self._broken.get(action.thread)) is not None and broken.signal is not None:
            broken.returned = True

    @on_call("exit_group")
    def handled(self, action: Action) -> Iterator[Finding]:
        """A handler that exits does what the default action would do."""
        broken = self._broken.get(action.thread)
        handled = action.process.signals.get("SIGPIPE") is Disposition.HANDLED
        if (
            broken is not None
            and handled
            and broken.signal is not None
            and broken.call is not None
            and not broken.returned
        ):
            del self._broken[action.thread]
            yield self._finding(
                [*_story(broken), step(action.call, "the handler exits, as the default action would")],
                broken.descriptor,
                severity=Severity.NOTE if in_pipeline(broken.descriptor) else Severity.ERROR,
                title=f"SIGPIPE ends the process: the handler exits after {broken.target}",
                absent=(no("rt_sigreturn (return from the handler)", broken.signal, action.call),),
            )

    @on_exit
    def killed(self, action: Action) -> Iterator[Finding]:
        """The thread ends; where SIGPIPE killed it, the cause is its last write."""
        end, process = action.event, action.process
        broken = self._broken.pop(action.thread)
        if isinstance(end, Exit) and end.signal == "SIGPIPE":
            self._exposures.pop(process, None)
            if broken is not None and broken.killed(process):
                yield self._killed(broken, end)
        elif process.exit is not None and process in self._exposures:
            yield self._exposures.pop(process)

    def _killed(self, broken: BrokenWrite, end: Exit) -> Finding:
        title = f"SIGPIPE kills the process: {broken.target} after the other end closed"
        if in_pipeline(broken.descriptor):
            title = "SIGPIPE ends the writer after the reader closes the pipe: normal in a pipeline"
        elif broken.again is not None:
            title = f"SIGPIPE kills the process: the handler raises the signal again after {broken.target}"
        elif broken.call is None:
            title = "SIGPIPE kills the process; the write is not in the trace"
        return self._finding(
            [*_story(broken), step(end, "the default action kills the process")],
            broken.descriptor,
            severity=Severity.NOTE if in_pipeline(broken.descriptor) or broken.was_to_pipe(end) else Severity.ERROR,
            title=title,
            confidence=Confidence.LIKELY if broken.call is None else Confidence.CERTAIN,
        )

    @on_call(*SIGNAL_ACTIONS, showing=("SIGPIPE",))
    def arranged(self, action: Action) -> None:
        """A program that ignores or handles SIGPIPE later is protected: no note."""
        if action.process.signals.get("SIGPIPE") in (Disposition.IGNORED, Disposition.HANDLED):
            self._spare(action.process)
        # What a child finds, its parent has arranged, be it outside the trace.
        if _BEFORE.search(action.call.body):
            self._spare(action.process.parent or action.kernel.processes[0])

    def _spare(self, process: Process) -> None:
        self._judged[process] = None
        self._exposures.pop(process, None)

    @on_traffic("write", "writev", "send", "sendto", "sendmsg")
    def exposed(self, action: Action) -> None:
        """Note once per process a write without protection; reported when the process ends unharmed."""
        descriptor, process, call = action.descriptor, action.process, action.call
        if descriptor is None or process in self._judged or call.failed or not exposed(action):
            return
        self._judged[process] = None
        note = f"{call.name} without MSG_NOSIGNAL: if the peer closes, SIGPIPE kills the process"
        self._exposures[process] = self._finding(
            [*birth(descriptor), step(call, note, primary=True)],
            descriptor,
            severity=Severity.NOTE,
            title=f"{call.name} {toward(descriptor)} is not protected from SIGPIPE",
            confidence=Confidence.LIKELY,
        )

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge the failures that did not end the process, as far as the trace goes."""
        del kernel
        yield from self._exposures.values()
        for broken in self._broken.values():
            disposition = broken.thread.process.signals.get("SIGPIPE")
            if broken.signal is None or broken.call is None or broken.returned or disposition is Disposition.IGNORED:
                continue
            handled = disposition is Disposition.HANDLED
            if not handled and broken.thread.last_call is not broken.call:
                continue
            doubt = "the handler has not returned" if handled else "the trace does not show the outcome"
            note = "the handler runs and has not returned" if handled else "kills the process unless SIGPIPE is ignored"
            yield self._finding(
                _story(broken, note),
                broken.descriptor,
                severity=Severity.WARNING,
                title=f"{broken.target} after the other end closed raises SIGPIPE; {doubt}",
                confidence=Confidence.POSSIBLE,
            )

    def _finding(
        self,
        steps: list[Step],
        descriptor: Descriptor | None,
        *,
        title: str,
        severity: Severity,
        confidence: Confidence = Confidence.CERTAIN,
        absent: tuple[Absence, ...] = (),
    ) -> Finding:
        return self.finding(
            steps,
            object="the process" if descriptor is None else describe(descriptor),
            title=title,
            severity=severity,
            confidence=confidence,
            absent=absent,
            why=_WHY,
            fix=_fix(descriptor),
        )


_WHY = (
    "a write to a pipe or stream socket with the other end closed raises SIGPIPE, and the default action kills the"
    " process before write returns EPIPE: pipe(7), send(2), signal(7)"
)


def _fix(descriptor: Descriptor | None) -> str:
    socket = None if descriptor is None else descriptor.file.socket
    if in_pipeline(descriptor):
        return "none needed in a pipeline; else call signal(SIGPIPE, SIG_IGN) at startup and check each write for EPIPE"
    first = f"send on fd {descriptor.number} with MSG_NOSIGNAL, or " if descriptor and socket else ""
    return f"{first}call signal(SIGPIPE, SIG_IGN) at startup; then close the descriptor when a write returns EPIPE"


def _story(broken: BrokenWrite, signal_note: str = "the kernel raises SIGPIPE") -> list[Step]:
    """Return the steps up to the signal."""
    call, steps = broken.call, []
    arranged = broken.thread.process.signals.set_by.get("SIGPIPE")
    if arranged is not None and broken.thread.process.signals.get("SIGPIPE") is Disposition.HANDLED:
        steps.append(step(arranged, "SIGPIPE gets a handler"))
    if call is not None:
        steps += birth(broken.descriptor) if broken.descriptor is not None else ()
        steps.append(step(call, f"{call.name} fails: the other end is closed", primary=True))
    elif broken.thread.last_call is not None and broken.descriptor is not None:
        steps.append(step(broken.thread.last_call, "the last write in the trace"))
    if broken.signal is not None:
        steps.append(step(broken.signal, signal_note, primary=call is None))
    if broken.again is not None:
        steps.append(step(broken.again, "the handler raises SIGPIPE again, with the default action"))
    return steps
