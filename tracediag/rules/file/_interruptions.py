"""Calls that a signal broke off: what has come of one, and whether it was made again."""

from __future__ import annotations

import msgspec

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.complaints import Complaint
from tracediag.kernel import Action
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.signals import Disposition
from tracediag.trace.calls import (
    ACCEPTS,
    CHILD_WAITS,
    CONTROLS,
    FUTEXES,
    OPENS,
    POSITIONED_READS,
    POSITIONED_WRITES,
    QUEUE_WAITS,
    READS,
    SENDFILES,
    WAITS,
    WRITES,
)
from tracediag.trace.events import Signal, Syscall

GIVES = READS | POSITIONED_READS

_TAKES = WRITES | POSITIONED_WRITES | SENDFILES | {"splice"}
QUEUES = QUEUE_WAITS | {"flock"}
ON_DESCRIPTORS = GIVES | _TAKES | ACCEPTS | CONTROLS | {"connect", "flock", "ioctl"}
WAITING = ON_DESCRIPTORS | CHILD_WAITS | WAITS | OPENS | FUTEXES | QUEUES
"""Calls that may wait, and so be broken off."""
_STDERR = 2


class Broken(msgspec.Struct, eq=False):
    """A call that a signal broke off, and what the thread has done about it so far."""

    aftermath: Aftermath
    descriptor: Descriptor | None
    seen: bool
    """Whether the program is known to have got EINTR: not so for ERESTART* before the handler has returned."""
    signal: Signal | None = None
    arranged: Syscall | None = None
    """The call that had set the signal's handler."""
    depth: int = 0
    """Handlers that run."""
    returned: Syscall | None = None
    """The end of the handler, which gave the program EINTR."""
    closed: Syscall | None = None
    age: int = 0

    @property
    def call(self) -> Syscall:
        """The call that was interrupted."""
        return self.aftermath.call

    @property
    def process(self) -> Process:
        """The process that made it."""
        return self.aftermath.process


def subject(action: Action) -> Descriptor | None:
    """Return the descriptor that a call is made on, also of a call of which the model takes no notice."""
    number = action.call.number("fd")
    return action.descriptor or (None if number is None else action.process.table.get(number))


def deliver(broken: Broken, signal: Signal) -> None:
    """Take the signal that broke the call off; where its handler is known, the next calls are the handler's own."""
    signals = broken.process.signals
    if broken.signal is None:
        broken.signal, broken.arranged = signal, signals.set_by.get(signal.name)
    if signals.get(signal.name) is Disposition.HANDLED:
        broken.depth += 1


def complains(call: Syscall) -> bool:
    """Whether a write speaks of EINTR: on fd 2 by its number or name, too, into a log or a reply by its text."""
    if call.name not in WRITES or not call.result or call.result < 0:
        return False
    if call.number(0) == _STDERR:
        return Complaint((call,)).names_error("EINTR") is not None
    return "Interrupted system call" in call.body


def is_made_again(broken: Broken, action: Action) -> bool:
    """Whether a call is the broken one once more, or one that does as well: the thread waits for what is ready."""
    name, before = action.call.name, broken.call
    if name in WAITS or name == "restart_syscall":
        return True
    if name in CHILD_WAITS:
        return before.name in CHILD_WAITS
    if before.name not in ON_DESCRIPTORS:
        return name == before.name and (name not in FUTEXES or action.call.body[:14] == before.body[:14])
    if broken.descriptor is None or subject(action) is not broken.descriptor:
        return False
    alike = any(name in names and before.name in names for names in (GIVES, _TAKES))
    # After a connect that was broken off, the connection is still being made: the socket tells of its outcome.
    return alike or name == before.name or (before.name == "connect" and name in ("getsockopt", "getpeername"))
