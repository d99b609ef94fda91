"""TD205: an accept error that would have passed, and the end of a server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.exits import ORDERS
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import (
    Rule,
    on_call,
    on_errno,
    on_process_end,
    on_release,
    on_round,
    on_signal,
)
from tracediag.trace.calls import ACCEPTS
from tracediag.trace.events import Event, Exit, Record, Syscall

_PASSING = (
    "ECONNABORTED", "EINTR", "ERESTARTSYS", "EPROTO", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM",
    "ENETDOWN", "ENOPROTOOPT", "EHOSTDOWN", "ENONET", "EHOSTUNREACH", "ENETUNREACH",
)  # fmt: skip
_REQUESTS = ("SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGPWR")
"""Signals by which many servers are told to stop in peace; whether this one is, its end tells."""
_MEANING = {
    "ECONNABORTED": "one client has left before it was accepted",
    "EINTR": "a signal has interrupted it",
    "ERESTARTSYS": "a signal has interrupted it",
    "EPROTO": "one connection has failed",
    "EMFILE": "no descriptor is left at the moment",
    "ENFILE": "no descriptor is left at the moment",
    "ENOBUFS": "no memory is left at the moment",
    "ENOMEM": "no memory is left at the moment",
}
_NEAR = 40
"""Lines between the error and the end, of one process, beyond which something else may have come between."""


@dataclass(slots=True)
class _Error:
    """An accept that failed, while nothing shows yet that the server goes on."""

    thread: Thread
    descriptor: Descriptor
    call: Syscall
    ordered: bool = False
    """Whether a signal has told the process to stop."""
    requested: bool = False
    """Whether it has got a signal that may have told it so."""
    closed: Syscall | None = None


class AcceptErrorEndsServer(Rule):
    """A transient error of accept after which the listener is closed or the process exits."""

    code = "TD205"
    name = "accept-error-ends-server"
    severity = Severity.ERROR
    summary = "a passing error of accept ends the server: the listener is closed or the process exits"

    def __init__(self) -> None:
        self._errors: dict[int | None, _Error] = {}

    @on_errno(*_PASSING)
    def failed(self, action: Action) -> None:
        """Remember the error, unless it came of an order to stop."""
        call, listener = action.call, action.descriptor
        if call.name in ACCEPTS and listener is not None:
            listener.memory[self.name] = True
            self._errors[action.thread.tid] = _Error(action.thread, listener, call)

    @on_call(*ACCEPTS)
    def asked_again(self, action: Action) -> None:
        """The server goes on: another accept, whatever it brings."""
        error = self._errors.get(action.thread.tid)
        if error is not None and error.call is not action.call:
            del self._errors[action.thread.tid]

    @on_round
    def waited_again(self, action: Action) -> None:
        """A loop that waits again after the error has survived it."""
        if self._errors:
            error = self._errors.get(action.thread.tid)
            if error is not None and error.closed is None:
                del self._errors[action.thread.tid]

    @on_signal(*ORDERS, "SIGKILL")
    def told_to_stop(self, action: Action) -> None:
        """A server that is told to stop stops."""
        for error in self._errors.values():
            if error.thread.process is action.process:
                error.ordered = True

    @on_signal(*_REQUESTS)
    def asked_to_stop(self, action: Action) -> None:
        """It may be an order to stop as well: then it ends well."""
        for error in self._errors.values():
            if error.thread.process is action.process:
                error.requested = True

    @on_release
    def released(self, action: Action) -> None:
        """The listener is closed by the program itself."""
        event = action.event
        for error in self._errors.values() if isinstance(event, Syscall) else ():
            if isinstance(event, Syscall) and error.descriptor in action.released and error.closed is None:
                error.closed = event

    @on_process_end
    def ended(self, last: ProcessEnd) -> Iterator[Finding]:
        """The process ends soon after the error; or its listener was closed, and the trace ends before it does."""
        process, end = last.process, last.exit
        for tid, error in [item for item in self._errors.items() if item[1].thread.process is process]:
            del self._errors[tid]
            stopped = error.ordered or (end is not None and error.requested and not end.status)
            killed = end is not None and end.signal is not None
            decisive = error.closed if end is None else end
            if not stopped and not killed and decisive is not None and _near(error, decisive):
                yield self._finding(error, end)

    def _finding(self, error: _Error, end: Exit | None) -> Finding:
        process, number = error.thread.process, error.descriptor.number
        name = "EINTR" if error.call.errno == "ERESTARTSYS" else error.call.errno
        bad = end is not None and Aftermath(process, error.call).mattered
        how = "the process exits" if end is not None else "the listener is closed"
        return self.finding(
            _story(error, end),
            object=describe(error.descriptor),
            title=f"accept = {name} is a passing error, and the server ends for it: {how}",
            severity=Severity.ERROR if bad else Severity.WARNING,
            confidence=Confidence.CERTAIN if bad else Confidence.LIKELY,
            why=f"{name} of accept tells of this moment or of one client, not of the listener, which is as good as"
            ' before: accept(2), "Error handling"',
            fix=f"{_advice(name)} and call accept on fd {number} again; give up only on EBADF, EINVAL, ENOTSOCK,"
            " EOPNOTSUPP and EFAULT",
            explains=[("failed-call-behind-exit", error.call.line), ("interrupted-call-not-retried", error.call.line)],
        )


def _advice(name: str | None) -> str:
    if name in ("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"):
        return f"on {name} close what can be closed, pause for a moment"
    return f"on {name} go on"


def _near(error: _Error, end: Event) -> bool:
    return end.line - error.call.line <= _NEAR


def _story(error: _Error, end: Exit | None) -> Iterator[Step]:
    process: Process = error.thread.process
    call, number = error.call, error.descriptor.number
    socket = error.descriptor.file.socket
    if socket is not None and socket.listening is not None:
        yield step(socket.listening, f"fd {number} listens")
    yield step(call, f"{_MEANING.get(str(call.errno), 'the network has a fault')}; fd {number} is sound", primary=True)
    signal = error.thread.last_signal
    if isinstance(signal, Record) and call.interrupted and 0 < signal.line - call.line <= _NEAR:
        yield step(signal, "the signal")
    yield from Aftermath(process, call).message_steps()
    if error.closed is not None:
        yield step(error.closed, f"the listener, fd {number}, is closed")
    if end is not None:
        yield step(end, "nobody listens any more")
