"""TD213: a listener whose queue was full while its server was busy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tracediag.evidence.bounds import KEPT
from tracediag.evidence.steps import repeated
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.socket import format_address
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_call, on_errno, on_release, on_trace_end
from tracediag.trace.calls import ACCEPTS
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import plural

_SMALL = 5
_UNIX = re.compile(r"\bAF_(?:UNIX|LOCAL|FILE)|\bPF_(?:UNIX|LOCAL|FILE)|sun_path=")
_AT_ONCE = 0.0005
"""Seconds inside accept up to which the connection was there already."""


@dataclass(slots=True)
class _Queue:
    """A listener with a short queue, and the connections taken from it without waiting."""

    descriptor: Descriptor
    listen: Syscall
    backlog: int
    wait: Syscall | None = None
    """The wait that the row began with."""
    first: Syscall | None = None
    last: Syscall | None = None
    row: int = 0
    full: int = 0
    """How often a row was as long as the full queue."""
    example: tuple[Syscall | None, Syscall, Syscall, int] | None = None

    def take(self, wait: Syscall | None, call: Syscall) -> None:
        """Count a connection that was in the queue already, or begin anew."""
        same_turn = self.row > 0 and wait is not None and wait is self.wait
        if not (same_turn or (wait is None and self.row > 0 and _waiting_already(call))):
            self.wait, self.first, self.row = wait, call, 0
        self.row += 1
        self.last = call
        if self.row == self.backlog + 1 and self.first is not None:
            self.full += 1
        if self.row > self.backlog and self.first is not None and self.full == 1:
            self.example = (self.wait, self.first, call, self.row)


class BacklogTooSmall(Rule):
    """listen with a backlog of 5 or less, on a server that finds its queue full; connect = EAGAIN of a unix client."""

    code = "TD213"
    name = "backlog-too-small"
    severity = Severity.WARNING
    summary = "the queue of a listener was full: clients that came meanwhile had to wait or were turned away"

    def __init__(self) -> None:
        self._queues: dict[int, _Queue] = {}
        self._refused: set[str] = set()
        """The unix sockets of which a client has told."""

    @on_call("listen")
    def listened(self, action: Action) -> None:
        """Take note of a short queue; a further listen makes it another one."""
        descriptor, call = action.descriptor, action.call
        backlog = call.number(1)
        if descriptor is None or backlog is None or call.failed or len(self._queues) >= KEPT:
            return
        self._queues.pop(id(descriptor.file), None)
        if 0 <= backlog <= _SMALL:
            descriptor.memory[self.name] = True
            self._queues[id(descriptor.file)] = _Queue(descriptor, call, backlog)

    @on_call(*ACCEPTS)
    def accepted(self, action: Action) -> None:
        """Count what is taken in a row."""
        descriptor, call = action.descriptor, action.call
        if not self._queues or descriptor is None or (queue := self._queues.get(id(descriptor.file))) is None:
            return
        if call.failed or call.result is None:
            queue.row = 0
            return
        report = descriptor.readiness
        turns = action.thread.rounds.values()
        wait = next((turn.wait for turn in turns if report is not None and report in turn.reports), None)
        queue.take(wait, call)

    @on_errno("EAGAIN", of=("connect",))
    def refused(self, action: Action) -> Iterator[Finding]:
        """Take the word of a unix client: this is the one reason for which its connect is not possible now."""
        address = format_address(action.call.arg(1)) if _UNIX.search(action.call.body) else None
        if address is not None and address not in self._refused and len(self._refused) < KEPT:
            self._refused.add(address)
            yield self._turned_away(action, address)

    def _turned_away(self, action: Action, address: str) -> Finding:
        call, listen = action.call, None
        for queue in self._queues.values():
            socket = queue.descriptor.file.socket
            listen = queue.listen if socket is not None and socket.local == address else listen
        told = [] if listen is None else [step(listen, f"the queue of {address} has room for few")]
        return self.finding(
            [*told, step(call, "EAGAIN: the queue is full, and the client does not get in", primary=True)],
            object=address,
            title=f"the queue of the listener at {address} is full, and a client is turned away",
            why="connect to a unix socket gives EAGAIN when the queue of the listener is full, at once if it is"
            " non-blocking, else after SO_SNDTIMEO; it is not in progress, and poll returns at once: connect(2)",
            fix=f"find out why the server at {address} accepts too slowly (ss -xl: Recv-Q is at Send-Q), and give its"
            " listen a larger number; until then wait a moment, and call connect again",
            explains=[(name, call.line) for name in ("failed-call-behind-exit", "eagain-treated-as-error")],
        )

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """The listener is closed: all is known of it."""
        for descriptor in action.released if self._queues else ():
            if not descriptor.file.holders:
                yield from self._over(self._queues.pop(id(descriptor.file), None))

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """What still listens at the end of the trace."""
        del kernel
        for queue in self._queues.values():
            yield from self._over(queue)

    def _over(self, queue: _Queue | None) -> Iterator[Finding]:
        if queue is not None and queue.example is not None:
            yield self._finding(queue, *queue.example)

    def _finding(self, queue: _Queue, wait: Syscall | None, first: Syscall, last: Syscall, row: int) -> Finding:
        number, room = queue.descriptor.number, queue.backlog + 1
        row_note = f"{plural(row, 'connection')} were in the queue: it was full"
        steps = [
            step(queue.listen, f"the queue of fd {number} has room for {plural(room, 'connection')}", primary=True),
            *([step(wait, "woken: connections wait")] if wait is not None else ()),
            repeated(first, row_note, row, last.line),
        ]
        times = "once" if queue.full == 1 else f"{queue.full} times"
        return self.finding(
            steps,
            object=describe(queue.descriptor),
            title=f"the queue of the listener was full {times}: listen(fd {number}, {queue.backlog}) is too small",
            confidence=Confidence.LIKELY,
            why="listen keeps backlog + 1 finished connections for accept; a further TCP client is ignored and tries"
            " again after 1 s, 3 s, 7 s, a unix one blocks or gets EAGAIN: listen(2), sk_acceptq_is_full in"
            " include/net/sock.h",
            fix=f"call listen(fd {number}, SOMAXCONN); net.core.somaxconn bounds it, ss -ltn shows the queue, and"
            " nstat -az TcpExtListenOverflows counts the clients that were ignored",
            explains=[],
        )


def _waiting_already(call: Syscall) -> bool:
    return call.duration is not None and call.duration <= _AT_ONCE and call.end_line in (0, call.line)
