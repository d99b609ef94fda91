"""TD205: a transient accept error on which a server shuts down."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.cases import Cases
from tracediag.evidence.exits import manner
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.signals import ORDERS
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
from tracediag.rules.socket._names import listens_on
from tracediag.trace.calls import ACCEPTS
from tracediag.trace.events import Event, Syscall
from tracediag.trace.records import Exit, Record

_TRANSIENT = (
    "ECONNABORTED", "EINTR", "ERESTARTSYS", "EPROTO", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM",
    "ENETDOWN", "ENOPROTOOPT", "EHOSTDOWN", "ENONET", "EHOSTUNREACH", "ENETUNREACH",
)  # fmt: skip
_SHORTAGES = ("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM")
_REQUESTS = ("SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGPWR")
"""Signals that ask many servers to finish; the exit status shows whether this server is one of them."""
_MEANING = {
    "ECONNABORTED": "one client disconnected before accept",
    "EINTR": "a signal interrupts accept",
    "ERESTARTSYS": "a signal interrupts accept",
    "EPROTO": "one connection failed",
    "EMFILE": "the process is out of descriptors for the moment",
    "ENFILE": "the system is out of descriptors for the moment",
    "ENOBUFS": "the kernel is out of memory for the moment",
    "ENOMEM": "the kernel is out of memory for the moment",
}
_NEAR = 40
"""Lines from the error to the end of the process beyond which the end may have another cause."""


class _Error(msgspec.Struct):
    """An accept that failed, while nothing shows yet that the server continues."""

    thread: Thread
    descriptor: Descriptor
    call: Syscall
    ordered: bool = False
    """Whether a signal has ordered the process to stop."""
    requested: bool = False
    """Whether the process received a signal that may mean so."""
    closed: Syscall | None = None


class AcceptErrorEndsServer(Rule):
    """A transient error of accept after which the listener is closed or the process exits."""

    code = "TD205"
    name = "accept-error-ends-server"
    severity = Severity.ERROR
    summary = "the server shuts down on a transient accept error: the listener is closed or the process exits"
    rests_on_successes = True

    def __init__(self) -> None:
        self._errors: Cases[Thread, _Error] = Cases(outlive=True)
        self._listeners: Cases[Descriptor, None] = Cases()
        """Those on which an accept has failed: `released` is to hear of their close."""

    @on_errno(*_TRANSIENT)
    def failed(self, action: Action) -> None:
        """Remember the error until the server calls accept or waits again."""
        call, listener = action.call, action.descriptor
        if call.name in ACCEPTS and listener is not None:
            self._listeners[listener] = None
            self._errors[action.thread] = _Error(action.thread, listener, call)

    @on_call(*ACCEPTS)
    def asked_again(self, action: Action) -> None:
        """The server continues: another accept, whatever its result."""
        error = self._errors.get(action.thread)
        if error is not None and error.call is not action.call:
            del self._errors[action.thread]

    @on_round
    def waited_again(self, action: Action) -> None:
        """The server continues: its loop waits again."""
        if self._errors:
            error = self._errors.get(action.thread)
            if error is not None and error.closed is None:
                del self._errors[action.thread]

    @on_signal(*ORDERS, "SIGKILL")
    def ordered_to_stop(self, action: Action) -> None:
        """A server may stop when a signal orders it to."""
        for error in self._errors.values():
            if error.thread.process is action.process:
                error.ordered = True

    @on_signal(*_REQUESTS)
    def asked_to_stop(self, action: Action) -> None:
        """The signal may be an order to stop: then the server exits with status 0."""
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
        for thread, error in [item for item in self._errors.items() if item[0].process is process]:
            del self._errors[thread]
            stopped = error.ordered or (end is not None and error.requested and not end.status)
            killed = end is not None and end.signal is not None
            decisive = error.closed if end is None else end
            if not stopped and not killed and decisive is not None and _near(error, decisive):
                yield self._finding(error, end)

    def _finding(self, error: _Error, end: Exit | None) -> Finding:
        process, number = error.thread.process, error.descriptor.number
        name = "EINTR" if error.call.errno == "ERESTARTSYS" else error.call.errno
        bad = end is not None and Aftermath(process, error.call).mattered
        server, how = listens_on(error.descriptor), "shuts down" if end is not None else "closes the listener"
        return self.finding(
            _story(error, end),
            object=describe(error.descriptor),
            title=f"the server on {server} {how} on {name}, a transient accept error",
            severity=Severity.ERROR if bad else Severity.WARNING,
            confidence=Confidence.CERTAIN if bad else Confidence.LIKELY,
            why=_why(str(name)),
            fix=f"{_advice(name)} call accept on fd {number} again{_or_restart(name)}; stop only on EBADF, EINVAL,"
            " ENOTSOCK, EOPNOTSUPP and EFAULT",
            explains=[("failed-call-behind-exit", error.call.line), ("interrupted-call-not-retried", error.call.line)],
        )


def _why(name: str) -> str:
    if name == "EINTR":
        return (
            "a signal handler without SA_RESTART interrupts a blocked accept; with SA_RESTART the kernel restarts the"
            " call: accept(2), signal(7)"
        )
    if name in _SHORTAGES:
        return f"{name} means a shortage at this moment; the listener and its queue are intact: accept(2)"
    return (
        "Linux accept also reports pending network errors of the new connection, which a server should treat like"
        ' EAGAIN: accept(2), "Error handling"'
    )


def _advice(name: str | None) -> str:
    return f"on {name} close idle connections or pause briefly, then" if name in _SHORTAGES else f"on {name}"


def _or_restart(name: str | None) -> str:
    return ", or set SA_RESTART for the handler" if name == "EINTR" else ""


def _near(error: _Error, end: Event) -> bool:
    return end.line - error.call.line <= _NEAR


def _story(error: _Error, end: Exit | None) -> Iterator[Step]:
    process: Process = error.thread.process
    call, number = error.call, error.descriptor.number
    socket = error.descriptor.file.socket
    if socket is not None and socket.listening is not None:
        yield step(socket.listening, f"fd {number} listens")
    yield step(
        call,
        f"{_MEANING.get(str(call.errno), 'one connection failed')}; the listener, fd {number}, still works",
        primary=True,
    )
    signal = error.thread.last_signal
    if isinstance(signal, Record) and call.interrupted and 0 < signal.line - call.line <= _NEAR:
        yield step(signal, "the signal that interrupts accept")
    yield from Aftermath(process, call).message_steps()
    if error.closed is not None:
        yield step(error.closed, f"the server closes the listener, fd {number}")
    if end is not None:
        yield step(end, f"the server {manner(end)}")
