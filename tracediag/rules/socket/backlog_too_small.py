"""TD213: a listener whose accept queue was full while the server was busy."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from tracediag.evidence.bounds import KEPT
from tracediag.evidence.cases import Cases
from tracediag.evidence.steps import repeated
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.socket import format_address
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_call, on_errno, on_release, on_trace_end
from tracediag.rules.socket._names import listens_on
from tracediag.trace.calls import ACCEPTS, IDLES, WAITS
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.quantities import count, plural

_SMALL = 5
_UNIX = lazy_pattern(r"\bAF_(?:UNIX|LOCAL|FILE)|\bPF_(?:UNIX|LOCAL|FILE)|sun_path=")
_QUICK = 0.0005
"""Seconds inside accept up to which the connection was queued already."""


class _Queue(msgspec.Struct):
    """A listener with a short queue, and the connections accepted from it without waiting."""

    descriptor: Descriptor
    listen: Syscall
    backlog: int
    wait: Syscall | None = None
    """The wait before the row."""
    first: Syscall | None = None
    last: Syscall | None = None
    row: int = 0
    full: int = 0
    """How often a row was as long as the full queue."""
    taken: OpenFile | None = None
    """The connection that was accepted last."""
    example: tuple[Syscall | None, Syscall, Syscall, int] | None = None

    def take(self, wait: Syscall | None, call: Syscall, taken: OpenFile | None) -> None:
        """Count a connection that was queued already; any other starts a new row.

        So does the next one after an answer: a client that calls again when it is served fills no queue.
        """
        if self._answered():
            self.row = 0
        self.taken = taken
        same_turn = self.row > 0 and wait is not None and wait is self.wait
        if not (same_turn or (wait is None and self.row > 0 and _waiting_already(call))):
            self.wait, self.first, self.row = wait, call, 0
        self.row += 1
        self.last = call
        if self.row == self.backlog + 1 and self.first is not None:
            self.full += 1
        if self.row > self.backlog and self.first is not None and self.full == 1:
            self.example = (self.wait, self.first, call, self.row)

    def _answered(self) -> bool:
        return self.taken is not None and self.taken.socket is not None and self.taken.socket.last_write is not None


class BacklogTooSmall(Rule):
    """listen with a backlog of 5 or less, on a server that finds its queue full; connect = EAGAIN of a unix client."""

    code = "TD213"
    name = "backlog-too-small"
    severity = Severity.WARNING
    summary = "the accept queue of a listener was full: further clients had to retry or were turned away"

    rests_on = WAITS | IDLES

    def rests(self, finding: Finding) -> Collection[str]:
        """Return the waits that show that a row was not queued: EAGAIN from connect needs no other proof."""
        return () if finding.primary.text.startswith("connect") else self.rests_on

    def __init__(self) -> None:
        self._queues: Cases[OpenFile, _Queue] = Cases()
        self._refused: set[str] = set()
        """The unix sockets that a client has found full."""

    @on_call("listen")
    def listened(self, action: Action) -> None:
        """Follow a short queue; a further listen changes its length."""
        descriptor, call = action.descriptor, action.call
        backlog = call.number(1)
        if descriptor is None or backlog is None or call.failed or len(self._queues) >= KEPT:
            return
        self._queues.pop(descriptor.file, None)
        if 0 <= backlog <= _SMALL:
            self._queues[descriptor.file] = _Queue(descriptor, call, backlog)

    @on_call(*ACCEPTS)
    def accepted(self, action: Action) -> None:
        """Count the connections accepted in a row."""
        descriptor, call = action.descriptor, action.call
        if not self._queues or descriptor is None or (queue := self._queues.get(descriptor.file)) is None:
            return
        if call.failed or call.result is None:
            queue.row = 0
            return
        report = descriptor.readiness
        turns = action.thread.rounds.values()
        wait = next((turn.wait for turn in turns if report is not None and report in turn.reports), None)
        held = action.process.table.get(call.result)
        queue.take(wait, call, None if held is None else held.file)

    @on_call("restart_syscall")
    @on_errno("ERESTART_RESTARTBLOCK", of=(*WAITS, *IDLES))
    def waited(self, action: Action) -> None:
        """End the rows of a process whose wait a signal interrupts: strace does not show what it then reports."""
        for queue in self._queues.values():
            if queue.descriptor.table is action.process.table:
                queue.row = 0

    @on_errno("EAGAIN", of=("connect",))
    def refused(self, action: Action) -> Iterator[Finding]:
        """Report what a unix client found: EAGAIN from connect has no other cause there."""
        address = format_address(action.call.arg(1)) if _UNIX.search(action.call.body) else None
        if address is not None and address not in self._refused and len(self._refused) < KEPT:
            self._refused.add(address)
            yield self._turned_away(action, address)

    def _turned_away(self, action: Action, address: str) -> Finding:
        call = action.call
        found = [queue for queue in self._queues.values() if listens_on(queue.descriptor) == address]
        short = [step(queue.listen, f"the queue of {address} holds {_room(queue)}") for queue in found[-1:]]
        return self.finding(
            [*short, step(call, "EAGAIN: the queue is full, the client is turned away", primary=True)],
            object=address,
            title=f"the accept queue of {address} is full: connect fails with EAGAIN",
            why="connect to a unix socket fails with EAGAIN when the accept queue is full: immediately if the socket is"
            " non-blocking, else after SO_SNDTIMEO; no connection is in progress, so poll does not help: connect(2)",
            fix=f"find out why the server on {address} accepts too slowly (ss -xl: Recv-Q has reached Send-Q), and"
            " raise its listen backlog; in the client, pause briefly and call connect again",
            explains=[(name, call.line) for name in ("failed-call-behind-exit", "eagain-treated-as-error")],
        )

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """The listener is closed: judge its queue."""
        for descriptor in action.released if self._queues else ():
            if not descriptor.file.holders:
                yield from self._settle(self._queues.pop(descriptor.file, None))

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge what still listens at the end of the trace."""
        del kernel
        for queue in self._queues.values():
            yield from self._settle(queue)

    def _settle(self, queue: _Queue | None) -> Iterator[Finding]:
        if queue is not None and queue.example is not None:
            yield self._finding(queue, *queue.example)

    def _finding(self, queue: _Queue, wait: Syscall | None, first: Syscall, last: Syscall, row: int) -> Finding:
        number, socket = queue.descriptor.number, queue.descriptor.file.socket
        row_note = f"{plural(row, 'connection')} accepted without waiting: the queue was full"
        steps = [
            step(queue.listen, f"the queue of fd {number} holds {_room(queue)}", primary=True),
            *([step(wait, f"the wait returns: connections are queued on fd {number}")] if wait is not None else ()),
            repeated(first, row_note, row, last.line),
        ]
        times = "once" if queue.full == 1 else f"{count(queue.full)} times"
        unix = socket is not None and socket.family in ("AF_UNIX", "AF_LOCAL", "PF_UNIX", "PF_LOCAL")
        look = (
            "ss -xl shows the queue"
            if unix
            else ("ss -ltn shows the queue, and nstat -az TcpExtListenOverflows counts the ignored clients")
        )
        return self.finding(
            steps,
            object=describe(queue.descriptor),
            title=f"the accept queue of {listens_on(queue.descriptor)} was full {times}: a backlog of {queue.backlog}"
            " is too small",
            confidence=Confidence.LIKELY,
            why="the kernel queues backlog + 1 connections for accept; a further TCP client is ignored and retries"
            " after 1 s, 3 s and 7 s, a unix client blocks or gets EAGAIN: listen(2), sk_acceptq_is_full in"
            " include/net/sock.h",
            fix=f"call listen({number}, SOMAXCONN), which net.core.somaxconn caps; {look}",
            explains=[],
        )


def _room(queue: _Queue) -> str:
    return plural(queue.backlog + 1, "connection")


def _waiting_already(call: Syscall) -> bool:
    return call.duration is not None and call.duration <= _QUICK and call.end_line in (0, call.line)
