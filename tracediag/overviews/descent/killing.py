"""Which process killed which: kill(2) and similar, and the sender that a signal names."""

from __future__ import annotations

from collections import deque

import msgspec

from tracediag.kernel.process import Process
from tracediag.results.tree import Killer
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.events import Syscall
from tracediag.trace.numbers import identifier
from tracediag.trace.records import Signal
from tracediag.trace.values import names_of, note_of

_SIGNAL_AT = {"tgkill": 2, "rt_tgsigqueueinfo": 2}
MOST = 1 << 12
"""How many sent signals are remembered."""


class _SentSignal(msgspec.Struct, frozen=True):
    """A signal sent by a traced process."""

    sender: Process
    target: int
    """A pid or tid; 0 and below mean a process group, as for kill(2)."""
    signal: str
    call: Syscall


class Killings:
    """The signals sent and delivered that may have ended a process."""

    def __init__(self) -> None:
        self._sent: deque[_SentSignal] = deque(maxlen=MOST)
        self._arrived: dict[tuple[Process, str], Signal] = {}

    def send(self, sender: Process, call: Syscall) -> None:
        """Record a signal sent; a call that failed, or that only tested whether the target exists, sends none."""
        target = _target(call)
        if call.errno is not None or target is None:
            return
        for name in names_of(call.arg(_SIGNAL_AT.get(call.name, 1))):
            self._sent.append(_SentSignal(sender, target, name, call))

    def arrive(self, process: Process, signal: Signal) -> None:
        """Record a signal delivered, which names its sender if that is a process."""
        if signal.sender is not None:
            self._arrived[process, signal.name] = signal

    def killer(self, process: Process, signal: str) -> Killer | None:
        """Return the sender of the signal that ended a process; None if the trace does not show it."""
        arrived = self._arrived.get((process, signal))
        for sent in reversed(self._sent):
            if sent.signal != signal or (arrived is not None and _other(sent.sender, arrived.sender)):
                continue
            if _hits(sent, process, named=arrived is not None):
                number = sent.sender.pid if sent.sender.pid is not None else (arrived and arrived.sender)
                return Killer(pid=number or 0, call=sent.call.name, line=sent.call.line)
        if arrived is not None and arrived.sender is not None:
            return Killer(pid=_pid(process, arrived.sender), call="", line=arrived.line)
        return None


def _pid(process: Process, number: int) -> int:
    """Return the pid of the lines of the ancestor with a number in its pid namespace; else the number."""
    head = process.parent
    while head is not None and not head.is_called(number):
        head = head.parent
    return number if head is None or head.pid is None else head.pid


def _other(sender: Process, number: int | None) -> bool:
    """Whether a process is certainly not the one that a signal names as its sender."""
    return sender.pid is not None and not sender.is_called(number)


def _target(call: Syscall) -> int | None:
    """Return the target of a signal."""
    if call.name == "pidfd_send_signal":
        note = note_of(call.arg(0))
        found = None if note is None else parse_annotation(note)
        return identifier(found.local) if found is not None and found.kind == "pidfd" else None
    return call.number(0)


def _hits(sent: _SentSignal, process: Process, *, named: bool) -> bool:
    """Return whether a signal was sent to a process; for a process group, whether it may have been.

    The trace does not show the members of a group, except if the signal itself names its sender (`named`); SIGKILL is
    never shown. Then the group is assumed to be the sender or the named process with all descendants.
    """
    if process.is_called(sent.target) or any(sent.target in (one.tid, one.inner) for one in process.threads):
        return True
    if sent.target > 0:
        return named and sent.sender is process
    if named:
        return True
    head: Process | None = process
    while head is not None:
        if (sent.target in (0, -1) and head is sent.sender) or head.is_called(-sent.target):
            return True
        head = head.parent
    return False
