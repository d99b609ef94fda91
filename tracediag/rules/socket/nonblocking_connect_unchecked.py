"""TD206: a connection that is used or closed while connect is still in progress."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.bounds import KEPT
from tracediag.evidence.steps import birth, no
from tracediag.evidence.waiters import waited_for
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end, on_release, on_traffic
from tracediag.rules.socket._names import toward
from tracediag.trace.calls import READS, WAITS, WRITES
from tracediag.trace.events import Syscall

_NOT_YET = frozenset({"EAGAIN", "EWOULDBLOCK", "ENOTCONN", "EINPROGRESS", "EALREADY"})
"""Errors of calls on a connection that is still in progress: tcp_sendmsg in net/ipv4/tcp.c."""


@dataclass(slots=True)
class _Way:
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

    def __init__(self) -> None:
        self._ways: dict[int, _Way] = {}

    @on_errno("EINPROGRESS")
    def began(self, action: Action) -> None:
        """A connection is in progress."""
        descriptor, call = action.descriptor, action.call
        if call.name == "connect" and descriptor is not None and len(self._ways) < KEPT:
            descriptor.memory[self.name] = True
            self._ways[id(descriptor.file)] = _Way(action.thread, descriptor, call)

    @on_call(*WAITS)
    def waited(self, action: Action) -> None:
        """A wait that reports the connection, or may be for it, settles the case; one that times out does not."""
        if not self._ways:
            return
        call = action.call
        for key, way in list(self._ways.items()):
            if way.thread.process is not action.process:
                continue
            if call.result == 0 and way.used is None:
                number = way.descriptor.number
                mine = not way.descriptor.file.registrations and _waits_to_write(call, number)
                way.timed_out = call if mine and not _probe(call) else way.timed_out
            if way.descriptor.readiness is not None or way.descriptor.file.registrations:
                del self._ways[key]

    @on_call("getsockopt", "connect", "getpeername")
    def asked(self, action: Action) -> None:
        """The program asks for the result."""
        if self._ways and action.descriptor is not None and action.call.errno != "EINPROGRESS":
            self._ways.pop(id(action.descriptor.file), None)

    @on_traffic(*READS, *WRITES)
    def used(self, action: Action) -> None:
        """The first use decides: a failure for lack of a connection shows the fault."""
        descriptor = action.descriptor
        if not self._ways or descriptor is None or (way := self._ways.get(id(descriptor.file))) is None:
            return
        if action.call.errno in _NOT_YET:
            way.used = way.used or action.call
        else:
            del self._ways[id(descriptor.file)]

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """The socket is closed; whether that matters to the process shows at its end."""
        event = action.event
        for descriptor in action.released:
            way = self._ways.get(id(descriptor.file))
            if way is None or not isinstance(event, Syscall) or event.name != "close" or descriptor.file.holders:
                continue
            way.closed = event
            if way.used is not None:
                del self._ways[id(descriptor.file)]
                yield self._finding(way)
            elif way.timed_out is not None or not _without_wait(way, action.thread):
                del self._ways[id(descriptor.file)]

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """The process ends; where the trace ends first, only a connection that was closed can be judged."""
        for key, way in [item for item in self._ways.items() if item[1].thread.process is end.process]:
            del self._ways[key]
            if end.exit is not None or way.closed is not None or self.scope.is_excerpt:
                yield from self._judge(way)

    def _judge(self, way: _Way) -> Iterator[Finding]:
        if way.used is not None or (way.closed is not None and Aftermath(way.thread.process, way.call).complaint):
            yield self._finding(way)

    def _finding(self, way: _Way) -> Finding:
        process, number = way.thread.process, way.descriptor.number
        if way.used is not None:
            title = (
                f"{way.used.name} {toward(way.descriptor)} fails with {way.used.errno}: connect is still in progress"
            )
            until: Syscall = way.used
        else:
            title = f"EINPROGRESS from connect {toward(way.descriptor)} is treated as fatal"
            until = way.closed or way.call
        aftermath = Aftermath(process, way.call)
        return self.finding(
            _story(way),
            object=describe(way.descriptor),
            title=title,
            severity=aftermath.severity,
            confidence=Confidence.CERTAIN if way.used is not None else Confidence.LIKELY,
            absent=[no(f"wait for fd {number} to become writable and no getsockopt(SO_ERROR)", way.call, until)],
            why="after EINPROGRESS the descriptor becomes writable when the connection is established or has failed,"
            ' and SO_ERROR then holds the result: connect(2), "ERRORS"',
            fix=f"after EINPROGRESS poll fd {number} for POLLOUT, then call getsockopt(SO_ERROR): 0 means connected,"
            " anything else is the error of connect",
            explains=_consequences(way),
        )


def _consequences(way: _Way) -> list[tuple[str, int]]:
    names = ("eagain-treated-as-error", "failed-call-behind-exit", "not-connected")
    return [] if way.used is None else [(name, way.used.line) for name in names]


def _probe(call: Syscall) -> bool:
    """Whether the wait only polled: timeout 0."""
    return call.name == "poll" and call.number(2) == 0


def _waits_to_write(call: Syscall, number: int) -> bool:
    numbers = waited_for(call)
    return numbers is not None and number in numbers


def _without_wait(way: _Way, thread: Thread) -> bool:
    """Whether the thread waited for nothing between the connect and now."""
    return thread is way.thread and all(turn.wait.line < way.call.line for turn in thread.rounds.values())


def _story(way: _Way) -> Iterator[Step]:
    number, process = way.descriptor.number, way.thread.process
    yield from birth(way.descriptor)
    yield step(way.call, f"the connection of fd {number} is in progress: neither established nor failed", primary=True)
    if way.timed_out is not None:
        yield step(way.timed_out, "the wait for the connection times out")
    if way.used is not None:
        yield step(way.used, f"fd {number} is used as if connected")
    elif way.closed is not None:
        yield step(way.closed, f"fd {number} is closed before the connection completes")
    yield from Aftermath(process, way.used or way.closed or way.call).steps()
