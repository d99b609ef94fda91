"""How a listener in an event loop is accepted from: once for each wakeup, or until nothing is left."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Registration
from tracediag.results.findings import Confidence
from tracediag.trace.events import Begun, Event, Syscall

KEPT = 1000


@dataclass(slots=True)
class Turn:
    """One wakeup for the listener that was answered by a single accept."""

    wait: Event | None
    accept: Syscall
    again: Syscall | Begun | None


@dataclass(slots=True)
class Dead:
    """A connection that was dead when it was taken from the backlog."""

    accept: Syscall
    sign: Syscall
    note: str


@dataclass(slots=True)
class Listener:
    """A listener, and the turns of the loop in which it was accepted from."""

    descriptor: Descriptor
    entry: Registration | None = None
    edge_triggered_clients: bool = False
    drained: bool = False
    turns: list[Turn] = field(default_factory=list)
    dead: list[Dead] = field(default_factory=list)

    def keep(self, turn: Turn) -> None:
        """Take a turn, up to more than anybody would look at."""
        if len(self.turns) < KEPT:
            self.turns.append(turn)


def confidence_in(listener: Listener) -> Confidence | None:
    """Say how sure it is; None where nothing is wrong or too little is shown."""
    if listener.drained or not listener.turns:
        return None
    edge = _is_edge_triggered(listener)
    if edge is None:
        # The registration is outside the trace: level-triggered sets may be accepted from once. Only a program
        # that watches its connections edge-triggered, and gets dead ones from the backlog, is worth a word.
        told = is_hidden(listener) and listener.edge_triggered_clients and listener.dead
        return Confidence.POSSIBLE if told else None
    if not edge:
        return None
    return Confidence.CERTAIN if listener.dead else Confidence.LIKELY


def _is_edge_triggered(listener: Listener) -> bool | None:
    return None if listener.entry is None else listener.entry.edge_triggered


def is_hidden(listener: Listener) -> bool:
    """Whether it may be in an epoll set all the same: of a socket made within the trace the EPOLL_CTL_ADD is, too."""
    return _is_edge_triggered(listener) is None and listener.descriptor.file.inherited


def example(listener: Listener) -> Turn:
    """Choose the turn to tell: the last one before the first dead connection was taken, if there is one."""
    whole = [turn for turn in listener.turns if turn.wait is not None and turn.again is not None] or listener.turns
    if not listener.dead:
        return whole[0]
    first_dead = listener.dead[0].accept.line
    before = [turn for turn in whole if turn.accept.line < first_dead]
    return before[-1] if before else whole[0]
