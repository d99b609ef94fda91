"""TD201: a write that SIGPIPE answers."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.events import Exit, Signal, Syscall
from tracediag.findings import Confidence, Finding, Severity, Step, step
from tracediag.kernel import Action, Kernel
from tracediag.kernel.calls.transfer import WRITES
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.signals import Disposition
from tracediag.rules.base import Rule, on_call, on_end, on_errno, on_exit, on_signal
from tracediag.values import names_of

_FLAGS_AT = {"send": 3, "sendto": 3, "sendmsg": 2, "sendmmsg": 3}
_STANDARD_STREAMS = frozenset({1, 2})


class SendWithoutNosignal(Rule):
    """A write without MSG_NOSIGNAL on a stream or pipe while SIGPIPE has its default action."""

    code = "TD201"
    name = "send-without-nosignal"
    severity = Severity.ERROR
    summary = "a write without MSG_NOSIGNAL while SIGPIPE has its default action: a lost peer kills the process"

    def __init__(self) -> None:
        self._failed: dict[int | None, tuple[Thread, Descriptor, Syscall]] = {}
        self._signalled: dict[int | None, Signal] = {}

    @on_errno("EPIPE")
    def failed(self, action: Action) -> None:
        """Remember the write that SIGPIPE is about to answer."""
        call, descriptor = action.call, action.descriptor
        if descriptor is not None and call.name in WRITES and not _guarded(action.thread, call):
            self._failed[action.thread.tid] = (action.thread, descriptor, call)
            self._signalled.pop(action.thread.tid, None)

    @on_signal("SIGPIPE")
    def signalled(self, action: Action) -> None:
        """Take the signal: strace shows it also where it is ignored, so it proves nothing alone."""
        if action.thread.tid in self._failed and isinstance(action.event, Signal):
            self._signalled[action.thread.tid] = action.event

    @on_exit
    def killed(self, action: Action) -> Iterator[Finding]:
        """The process dies of SIGPIPE."""
        if not isinstance(action.event, Exit) or action.event.signal != "SIGPIPE":
            return
        found = self._failed.pop(action.thread.tid, None)
        if found is None:
            return
        _, descriptor, call = found
        yield self._killed(action.process, descriptor, call, action.event, self._signalled.pop(action.thread.tid, None))

    def _killed(
        self, process: Process, descriptor: Descriptor, call: Syscall, end: Exit, signal: Signal | None
    ) -> Finding:
        pipeline = descriptor.number in _STANDARD_STREAMS and descriptor.file.kind is not Kind.SOCKET
        steps = [*_history(process, call), *([] if signal is None else [step(signal, "the kernel answers with SIGPIPE")])]
        return self._finding(
            [*steps, step(end, "its default action ends the process")],
            descriptor,
            severity=Severity.NOTE if pipeline else Severity.ERROR,
            title="the reader of a pipeline has left, which ends the writer: usual in a pipeline"
            if pipeline
            else "a write to a lost peer kills the process by SIGPIPE",
        )

    @on_call("rt_sigaction", "sigaction", "signal")
    def arranged(self, action: Action) -> None:
        """A program that looks after SIGPIPE later is not warned of what it has mended."""
        if action.process.signals.get("SIGPIPE") in (Disposition.IGNORED, Disposition.HANDLED):
            action.process.memory[self.name] = True

    @on_call("send", "sendto", "sendmsg")
    def exposed(self, action: Action) -> Iterator[Finding]:
        """Tell once a program that nothing stands between a lost peer and its death."""
        descriptor, process = action.descriptor, action.process
        if descriptor is None or self.name in process.memory or action.call.failed or not _exposed(action):
            return
        process.memory[self.name] = True
        yield self._finding(
            [step(action.call, "without MSG_NOSIGNAL; if the peer has gone, SIGPIPE ends the process", primary=True)],
            descriptor,
            severity=Severity.NOTE,
            title="SIGPIPE has its default action while a socket is written to",
            confidence=Confidence.LIKELY,
        )

    @on_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge the failures that did not end the process, as far as the trace goes."""
        del kernel
        for tid, (thread, descriptor, call) in self._failed.items():
            signal = self._signalled.get(tid)
            disposition = thread.process.signals.get("SIGPIPE")
            if signal is None or disposition is Disposition.IGNORED:
                continue
            if disposition is Disposition.HANDLED:
                yield self._survived(thread, descriptor, call, signal)
            elif thread.last_call is call or thread.last_call is None:
                yield self._unknown_end(thread, descriptor, call, signal)

    def _survived(self, thread: Thread, descriptor: Descriptor, call: Syscall, signal: Signal) -> Finding:
        return self._finding(
            [*_history(thread.process, call), step(signal, "a handler of the program runs")],
            descriptor,
            severity=Severity.WARNING,
            title="a write to a lost peer raises SIGPIPE, which a handler takes",
        )

    def _unknown_end(self, thread: Thread, descriptor: Descriptor, call: Syscall, signal: Signal) -> Finding:
        return self._finding(
            [*_history(thread.process, call), step(signal, "unless it is ignored or handled, it ends the process")],
            descriptor,
            severity=Severity.WARNING,
            title="a write to a lost peer raises SIGPIPE; the trace does not show what it does to the process",
            confidence=Confidence.POSSIBLE,
        )

    def _finding(
        self,
        steps: list[Step],
        descriptor: Descriptor,
        *,
        severity: Severity,
        title: str,
        confidence: Confidence = Confidence.CERTAIN,
    ) -> Finding:
        number = descriptor.number
        return self.finding(
            steps,
            object=describe(descriptor),
            title=title,
            severity=severity,
            confidence=confidence,
            why="a write to a pipe or stream socket whose other end is gone raises SIGPIPE, whose default action ends the"
            " process, before write can return EPIPE: pipe(7), send(2), signal(7)",
            fix=f"send on fd {number} with MSG_NOSIGNAL, or ignore SIGPIPE once at the start of the program, and handle EPIPE",
        )


def _history(process: Process, call: Syscall) -> Iterator[Step]:
    arranged = process.signals.set_by.get("SIGPIPE")
    if arranged is not None:
        yield step(arranged, "what SIGPIPE is to do")
    yield step(call, f"{call.name} fails: nobody can receive it any more", primary=True)


def _guarded(thread: Thread, call: Syscall) -> bool:
    """Whether SIGPIPE cannot come of this call."""
    position = _FLAGS_AT.get(call.name)
    if position is not None and "MSG_NOSIGNAL" in names_of(call.arg(position)):
        return True
    return thread.process.signals.get("SIGPIPE") is Disposition.IGNORED or "SIGPIPE" in thread.blocked


def _exposed(action: Action) -> bool:
    """Whether the disposition is known to be the default one, on a stream socket, with nothing to guard the call."""
    descriptor, signals = action.descriptor, action.process.signals
    if descriptor is None or descriptor.file.socket is None or not descriptor.file.socket.stream:
        return False
    if _guarded(action.thread, action.call) or signals.get("SIGPIPE") is Disposition.HANDLED:
        return False
    return signals.get("SIGPIPE") is Disposition.DEFAULT or signals.from_exec
