"""TD201: a write that raises SIGPIPE."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tracediag.evidence.steps import birth
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.signals import Disposition
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_exit, on_signal, on_trace_end
from tracediag.rules.socket._names import toward
from tracediag.trace.calls import SIGNAL_ACTIONS, SIGNAL_RETURNS, WRITES
from tracediag.trace.events import Exit, Signal, Syscall
from tracediag.trace.numbers import checked_integer
from tracediag.trace.values import names_of

_RAISING = WRITES | {"pwritev", "sendfile", "sendfile64", "splice", "tee", "vmsplice"}
_FLAGS_AT = {"send": 3, "sendto": 3, "sendmsg": 2, "sendmmsg": 3}
_SENDER = re.compile(r"\bsi_pid=([0-9]{1,10}+)")
_BY_CALL = re.compile(r"\bsi_code=SI_(?:TKILL|QUEUE)\b")
"""raise(3), pthread_kill(3), sigqueue(3): the kernel's own SIGPIPE has SI_USER."""


@dataclass(slots=True)
class _Blow:
    """A write after the other end closed, and its SIGPIPE; a filtered trace shows only one of the two."""

    thread: Thread
    descriptor: Descriptor | None
    call: Syscall | None
    signal: Signal | None = None
    again: Signal | None = None
    """The signal that the program's handler raised again."""
    returned: bool = False


class SendWithoutNosignal(Rule):
    """A write without MSG_NOSIGNAL on a stream or pipe while SIGPIPE has its default action."""

    code = "TD201"
    name = "send-without-nosignal"
    severity = Severity.ERROR
    summary = "a write without MSG_NOSIGNAL while SIGPIPE is not ignored: a closed peer kills the process"

    def __init__(self) -> None:
        self._blows: dict[int | None, _Blow] = {}
        self._exposures: dict[int, Finding] = {}

    @on_errno("EPIPE")
    def failed(self, action: Action) -> None:
        """Remember the write that raises SIGPIPE."""
        call, thread = action.call, action.thread
        if action.descriptor is not None and call.name in _RAISING and not _guarded(thread, call):
            self._blows[thread.tid] = _Blow(thread, action.descriptor, call)

    @on_signal("SIGPIPE")
    def signalled(self, action: Action) -> None:
        """Remember the signal: strace shows it even where it is ignored, so it proves nothing alone."""
        if not isinstance(action.event, Signal):
            return
        thread, blow = action.thread, self._blows.get(action.thread.tid)
        if _BY_CALL.search(action.event.info):
            if blow is not None:
                blow.again = action.event
        elif blow is None or blow.returned:
            self._blows[thread.tid] = _Blow(thread, _last_written(thread), None, action.event)
        else:
            blow.signal = action.event

    @on_call(*SIGNAL_RETURNS)
    def returned(self, action: Action) -> None:
        """A handler that returns leaves EPIPE to the program, which is right."""
        if (blow := self._blows.get(action.thread.tid)) is not None and blow.signal is not None:
            blow.returned = True

    @on_call("exit_group")
    def handled(self, action: Action) -> Iterator[Finding]:
        """A handler that exits does what the default action would do."""
        blow = self._blows.get(action.thread.tid)
        handled = action.process.signals.get("SIGPIPE") is Disposition.HANDLED
        if blow is not None and handled and blow.signal is not None and blow.call is not None and not blow.returned:
            del self._blows[action.thread.tid]
            yield self._finding(
                [*_story(blow), step(action.call, "the handler exits, as the default action would")],
                blow.descriptor,
                severity=Severity.NOTE if _in_pipeline(blow.descriptor) else Severity.ERROR,
                title=f"SIGPIPE ends the process: the handler exits after {_write(blow)}",
            )

    @on_exit
    def killed(self, action: Action) -> Iterator[Finding]:
        """The thread ends; where SIGPIPE killed it, the cause is its last write."""
        end, process = action.event, action.process
        blow = self._blows.pop(action.thread.tid, None)
        if isinstance(end, Exit) and end.signal == "SIGPIPE":
            self._exposures.pop(id(process), None)
            if blow is not None and _caused(blow, process):
                yield self._killed(blow, end)
        elif process.exit is not None and id(process) in self._exposures:
            yield self._exposures.pop(id(process))

    def _killed(self, blow: _Blow, end: Exit) -> Finding:
        title = f"SIGPIPE kills the process: {_write(blow)} after the other end closed"
        if _in_pipeline(blow.descriptor):
            title = "SIGPIPE ends the writer after the reader closes the pipe: normal in a pipeline"
        elif blow.again is not None:
            title = f"SIGPIPE kills the process: the handler raises the signal again after {_write(blow)}"
        elif blow.call is None:
            title = "SIGPIPE kills the process; the write is not in the trace"
        return self._finding(
            [*_story(blow), step(end, "the default action kills the process")],
            blow.descriptor,
            severity=Severity.NOTE if _in_pipeline(blow.descriptor) or _unseen(blow, end) else Severity.ERROR,
            title=title,
            confidence=Confidence.LIKELY if blow.call is None else Confidence.CERTAIN,
        )

    @on_call(*SIGNAL_ACTIONS)
    def arranged(self, action: Action) -> None:
        """A program that ignores or handles SIGPIPE later is protected: no note."""
        if action.process.signals.get("SIGPIPE") in (Disposition.IGNORED, Disposition.HANDLED):
            action.process.memory[self.name] = True
            self._exposures.pop(id(action.process), None)

    @on_call("write", "writev", "send", "sendto", "sendmsg")
    def exposed(self, action: Action) -> None:
        """Note once per process a write without protection; reported when the process ends unharmed."""
        descriptor, process, call = action.descriptor, action.process, action.call
        if descriptor is None or self.name in process.memory or call.failed or not _exposed(action):
            return
        process.memory[self.name] = True
        note = f"{call.name} without MSG_NOSIGNAL: if the peer closes, SIGPIPE kills the process"
        self._exposures[id(process)] = self._finding(
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
        for blow in self._blows.values():
            disposition = blow.thread.process.signals.get("SIGPIPE")
            if blow.signal is None or blow.call is None or blow.returned or disposition is Disposition.IGNORED:
                continue
            handled = disposition is Disposition.HANDLED
            if not handled and blow.thread.last_call is not blow.call:
                continue
            doubt = "the handler has not returned" if handled else "the trace does not show the outcome"
            note = "the handler runs and has not returned" if handled else "kills the process unless SIGPIPE is ignored"
            yield self._finding(
                _story(blow, note),
                blow.descriptor,
                severity=Severity.WARNING,
                title=f"{_write(blow)} after the other end closed raises SIGPIPE; {doubt}",
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
    ) -> Finding:
        return self.finding(
            steps,
            object="the process" if descriptor is None else describe(descriptor),
            title=title,
            severity=severity,
            confidence=confidence,
            why=_WHY,
            fix=_fix(descriptor),
        )


_WHY = (
    "a write to a pipe or stream socket with the other end closed raises SIGPIPE, and the default action kills the"
    " process before write returns EPIPE: pipe(7), send(2), signal(7)"
)


def _fix(descriptor: Descriptor | None) -> str:
    socket = None if descriptor is None else descriptor.file.socket
    if _in_pipeline(descriptor):
        return "none needed in a pipeline; else call signal(SIGPIPE, SIG_IGN) at startup and check each write for EPIPE"
    first = f"send on fd {descriptor.number} with MSG_NOSIGNAL, or " if descriptor and socket else ""
    return f"{first}call signal(SIGPIPE, SIG_IGN) at startup; then close the descriptor when a write returns EPIPE"


def _story(blow: _Blow, signal_note: str = "the kernel raises SIGPIPE") -> list[Step]:
    """Return the steps up to the signal."""
    call, steps = blow.call, []
    arranged = blow.thread.process.signals.set_by.get("SIGPIPE")
    if arranged is not None and blow.thread.process.signals.get("SIGPIPE") is Disposition.HANDLED:
        steps.append(step(arranged, "SIGPIPE gets a handler"))
    if call is not None:
        steps += birth(blow.descriptor) if blow.descriptor is not None else ()
        steps.append(step(call, f"{call.name} fails: the other end is closed", primary=True))
    elif blow.thread.last_call is not None and blow.descriptor is not None:
        steps.append(step(blow.thread.last_call, "the last write in the trace"))
    if blow.signal is not None:
        steps.append(step(blow.signal, signal_note, primary=call is None))
    if blow.again is not None:
        steps.append(step(blow.again, "the handler raises SIGPIPE again, with the default action"))
    return steps


def _write(blow: _Blow) -> str:
    """Name the write and its target: "send to 10.0.0.5:5432", "write on fd 1"."""
    name = "a write" if blow.call is None else blow.call.name
    return name if blow.descriptor is None else f"{name} {toward(blow.descriptor)}"


def _last_written(thread: Thread) -> Descriptor | None:
    """Return what the thread's last call wrote to, where that call was a write."""
    call = thread.last_call
    return None if call is None or call.name not in _RAISING else thread.process.table.get(call.number(0) or 0)


def _caused(blow: _Blow, process: Process) -> bool:
    """Whether the write killed the process: the kernel gives the writer's own pid as the sender."""
    if blow.call is not None:
        return not blow.returned or blow.again is not None
    sender = None if blow.signal is None else _SENDER.search(blow.signal.info)
    return blow.signal is not None and (
        sender is None or process.pid is None or checked_integer(sender[1]) == process.pid
    )


def _in_pipeline(descriptor: Descriptor | None) -> bool:
    """Whether a descriptor is standard output or error, and no socket."""
    return descriptor is not None and descriptor.number in (1, 2) and descriptor.file.kind is not Kind.SOCKET


def _unseen(blow: _Blow, end: Exit) -> bool:
    """Whether the write is not in the trace, and nothing shows that it was to a socket: most likely to a pipeline.

    A program that sends by send or sendmsg, as a recording of the network calls shows, does not write there.
    """
    if blow.call is not None or blow.descriptor is not None:
        return False
    held = (held for held in blow.thread.process.table.last_closed.values() if held.closed is end)
    return not any(_may_be_written_to(found) for found in held)


def _may_be_written_to(held: Descriptor) -> bool:
    """Whether it is a connection on which the trace shows no sending."""
    socket, made = held.file.socket, held.file.opened
    if socket is None or socket.listening is not None or socket.last_write is not None:
        return False
    return socket.connected is not None or made is None or made.name != "socket"


def _guarded(thread: Thread, call: Syscall) -> bool:
    """Whether this call cannot raise SIGPIPE."""
    position = _FLAGS_AT.get(call.name)
    if position is not None and "MSG_NOSIGNAL" in names_of(call.arg(position)):
        return True
    return "SIGPIPE" in thread.blocked or thread.process.signals.get("SIGPIPE") is Disposition.IGNORED


def _exposed(action: Action) -> bool:
    """Whether a call on a stream socket is unguarded while SIGPIPE is known to have the default action."""
    descriptor, signals = action.descriptor, action.process.signals
    if descriptor is None or descriptor.file.socket is None or not descriptor.file.socket.stream:
        return False
    default = Disposition.DEFAULT if signals.from_exec else None
    return (signals.get("SIGPIPE") or default) is Disposition.DEFAULT and not _guarded(action.thread, action.call)
