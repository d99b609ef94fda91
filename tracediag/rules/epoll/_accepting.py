"""How a loop accepts from a listener: once per wakeup, or until nothing is left."""

from __future__ import annotations

import msgspec

from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Registration
from tracediag.results.findings import Confidence
from tracediag.trace.events import Begun, Event, Syscall

MAX_KEPT = 1000


class Turn(msgspec.Struct):
    """One wakeup for the listener that was followed by a single accept."""

    wait: Event | None
    accept: Syscall
    again: Syscall | Begun | None


class Dead(msgspec.Struct):
    """A connection whose client was gone when it was accepted."""

    accept: Syscall
    sign: Syscall
    note: str
    greeted: bool = False
    """Whether the program waited after a write to the client had succeeded: the client may have left only then."""


class Listener(msgspec.Struct):
    """A listener, and the turns of the loop that accepted from it."""

    descriptor: Descriptor
    entry: Registration | None = None
    edge_triggered_clients: bool = False
    drained: bool = False
    turns: list[Turn] = msgspec.field(default_factory=list)
    dead: list[Dead] = msgspec.field(default_factory=list)

    def keep(self, turn: Turn) -> None:
        """Remember a turn, within bounds."""
        if len(self.turns) < MAX_KEPT:
            self.turns.append(turn)


def confidence_in(listener: Listener) -> Confidence | None:
    """Return how sure it is; None where nothing is wrong or the trace shows too little."""
    if listener.drained or not listener.turns:
        return None
    edge = _is_edge_triggered(listener)
    if edge is None:
        # The registration is outside the trace, and one accept per wakeup is right for a level-triggered listener.
        # Only a program with edge-triggered connections and dead ones from the backlog is worth a report.
        dead = any(not client.greeted for client in listener.dead)
        suspect = is_hidden(listener) and listener.edge_triggered_clients and dead
        return Confidence.POSSIBLE if suspect else None
    if not edge or _accepts_once(listener):
        return None
    if len(listener.turns) == 1 and not listener.dead:
        return Confidence.POSSIBLE  # the next accept may be the one that fails with EAGAIN, or the close
    return Confidence.CERTAIN if listener.dead else Confidence.LIKELY


def _accepts_once(listener: Listener) -> bool:
    """Whether the program wanted one connection: it closes the listener after the first, and misses no other."""
    descriptor = listener.descriptor
    close = descriptor.closing or descriptor.closed
    return len(listener.turns) == 1 and not listener.dead and isinstance(close, Begun | Syscall)


def _is_edge_triggered(listener: Listener) -> bool | None:
    return None if listener.entry is None else listener.entry.edge_triggered


def is_hidden(listener: Listener) -> bool:
    """Whether its registration may be outside the trace, as it can be only for a socket created before the trace."""
    return _is_edge_triggered(listener) is None and listener.descriptor.file.inherited


def example(listener: Listener) -> Turn:
    """Choose the turn to show: the last one before the first dead connection was accepted, if there is one."""
    complete = [turn for turn in listener.turns if turn.wait is not None and turn.again is not None] or listener.turns
    if not listener.dead:
        return complete[0]
    first_dead = listener.dead[0].accept.line
    before = [turn for turn in complete if turn.accept.line < first_dead]
    return before[-1] if before else complete[0]
