"""TD206: a connection that is used or closed while connect is still in progress."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.bounds import KEPT
from tracediag.evidence.cases import Cases
from tracediag.evidence.steps import birth, no
from tracediag.evidence.waiters import waited_for
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.process import Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end, on_release, on_traffic
from tracediag.rules.socket._names import toward
from tracediag.trace.calls import READS, WAITS, WRITES
from tracediag.trace.events import Syscall

_NOT_YET = frozenset({"EAGAIN", "EWOULDBLOCK", "ENOTCONN", "EINPROGRESS", "EALREADY"})
"""Errors of calls on a connection that is still in progress: tcp_sendmsg in net/ipv4/tcp.c."""


class _Attempt(msgspec.Struct):
    """A connection in progress."""

    thread: Thread
    descriptor: Descriptor
    call: Syscall
    timed_out: Syscall | None = None
    """A wait for the connection that timed out."""
    used: Syscall | None = None
    """The first use that failed because the connection was not established."""
    closed: Syscall | None = None


class NonblockingConnectUnchecked(Rule):
    """EINPROGRESS, then a use or close without a wait and getsockopt(SO_ERROR)."""

    code = "TD206"
    name = "nonblocking-connect-unchecked"
    severity = Severity.ERROR
    summary = "a connection in progress is used or closed without a wait for its completion"
    rests_on = WAITS

    def __init__(self) -> None:
        self._attempts: Cases[OpenFile, _Attempt] = Cases(outlive=True)

    @on_errno("EINPROGRESS")
    def began(self, action: Action) -> None:
        """A connection is in progress."""
        descriptor, call = action.descriptor, action.call
        if call.name == "connect" and descriptor is not None and len(self._attempts) < KEPT:
            self._attempts[descriptor.file] = _Attempt(action.thread, descriptor, call)

    @on_call(*WAITS)
    def waited(self, action: Action) -> None:
        """A wait that reports the connection, or may be for it, settles the case; one that times out does not."""
        if not self._attempts:
            return
        call = action.call
        for key, attempt in list(self._attempts.items()):
            if attempt.thread.process is not action.process:
                continue
            if call.result == 0 and attempt.used is None:
                number = attempt.descriptor.number
                mine = not attempt.descriptor.file.registrations and _waits_to_write(call, number)
                attempt.timed_out = call if mine and not _probe(call) else attempt.timed_out
            if attempt.descriptor.readiness is not None or attempt.descriptor.file.registrations:
                del self._attempts[key]

    @on_call("getsockopt", "connect", "getpeername")
    def asked(self, action: Action) -> None:
        """The program asks for the result."""
        if self._attempts and action.descriptor is not None and action.call.errno != "EINPROGRESS":
            self._attempts.pop(action.descriptor.file, None)

    @on_traffic(*READS, *WRITES, given="_attempts")
    def used(self, action: Action) -> None:
        """The first use decides: a failure for lack of a connection shows the fault."""
        descriptor = action.descriptor
        if descriptor is None or (attempt := self._attempts.get(descriptor.file)) is None:
            return
        if action.call.errno in _NOT_YET:
            attempt.used = attempt.used or action.call
        else:
            del self._attempts[descriptor.file]

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """The socket is closed; whether that matters to the process shows at its end."""
        event = action.event
        for descriptor in action.released:
            attempt = self._attempts.get(descriptor.file)
            if attempt is None or not isinstance(event, Syscall) or event.name != "close" or descriptor.file.holders:
                continue
            attempt.closed = event
            if attempt.used is not None:
                del self._attempts[descriptor.file]
                yield self._finding(attempt)
            elif attempt.timed_out is not None or not _without_wait(attempt, action.thread):
                del self._attempts[descriptor.file]

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """The process ends; where the trace ends first, only a connection that was closed can be judged."""
        for key, attempt in [item for item in self._attempts.items() if item[1].thread.process is end.process]:
            del self._attempts[key]
            if end.exit is not None or attempt.closed is not None or self.scope.is_excerpt:
                yield from self._judge(attempt)

    def _judge(self, attempt: _Attempt) -> Iterator[Finding]:
        if attempt.used is not None or (
            attempt.closed is not None and Aftermath(attempt.thread.process, attempt.call).complaint
        ):
            yield self._finding(attempt)

    def _finding(self, attempt: _Attempt) -> Finding:
        process, number = attempt.thread.process, attempt.descriptor.number
        if attempt.used is not None:
            until: Syscall = attempt.used
            failed = f"{until.name} {toward(attempt.descriptor)} fails with {until.errno}"
            title = f"{failed}: connect is still in progress"
        else:
            title = f"EINPROGRESS from connect {toward(attempt.descriptor)} is treated as fatal"
            until = attempt.closed or attempt.call
        aftermath = Aftermath(process, attempt.call)
        return self.finding(
            _story(attempt),
            object=describe(attempt.descriptor),
            title=title,
            severity=aftermath.severity,
            confidence=Confidence.CERTAIN if attempt.used is not None else Confidence.LIKELY,
            absent=[no(f"wait for fd {number} to become writable and no getsockopt(SO_ERROR)", attempt.call, until)],
            why="after EINPROGRESS the descriptor becomes writable when the connection is established or has failed,"
            ' and SO_ERROR then holds the result: connect(2), "ERRORS"',
            fix=f"after EINPROGRESS poll fd {number} for POLLOUT, then call getsockopt(SO_ERROR): 0 means connected,"
            " anything else is the error of connect",
            explains=_consequences(attempt),
        )


def _consequences(attempt: _Attempt) -> list[tuple[str, int]]:
    names = ("eagain-treated-as-error", "failed-call-behind-exit", "not-connected")
    return [] if attempt.used is None else [(name, attempt.used.line) for name in names]


def _probe(call: Syscall) -> bool:
    """Whether the wait only polled: timeout 0."""
    return call.name == "poll" and call.number(2) == 0


def _waits_to_write(call: Syscall, number: int) -> bool:
    numbers = waited_for(call)
    return numbers is not None and number in numbers


def _without_wait(attempt: _Attempt, thread: Thread) -> bool:
    """Whether the thread waited for nothing between the connect and now."""
    return thread is attempt.thread and all(turn.wait.line < attempt.call.line for turn in thread.rounds.values())


def _story(attempt: _Attempt) -> Iterator[Step]:
    number, process = attempt.descriptor.number, attempt.thread.process
    yield from birth(attempt.descriptor)
    yield step(
        attempt.call, f"the connection of fd {number} is in progress: neither established nor failed", primary=True
    )
    if attempt.timed_out is not None:
        yield step(attempt.timed_out, "the wait for the connection times out")
    if attempt.used is not None:
        yield step(attempt.used, f"fd {number} is used as if connected")
    elif attempt.closed is not None:
        yield step(attempt.closed, f"fd {number} is closed before the connection completes")
    yield from Aftermath(process, attempt.used or attempt.closed or attempt.call).steps()
