"""Interrupted calls: what the thread did about one, and whether it called again."""

from __future__ import annotations

import msgspec

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.complaints import Complaint
from tracediag.kernel import Action
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.signals import Disposition
from tracediag.trace.calls import (
    ACCEPTS,
    CHILD_WAITS,
    CONTROLS,
    EPOLL_WAITS,
    FUTEXES,
    IO_WAITS,
    OPENS,
    POSITIONED_READS,
    POSITIONED_WRITES,
    QUEUE_WAITS,
    READS,
    RECEIVES,
    SENDFILES,
    SYSV_WAITS,
    WAITS,
    WRITES,
)
from tracediag.trace.events import Syscall
from tracediag.trace.records import Signal

INPUTS = READS | POSITIONED_READS

_OUTPUTS = WRITES | POSITIONED_WRITES | SENDFILES | {"splice"}
QUEUES = QUEUE_WAITS | {"flock"}
ON_DESCRIPTORS = INPUTS | _OUTPUTS | ACCEPTS | CONTROLS | {"connect", "flock", "ioctl"}
WAITING = ON_DESCRIPTORS | CHILD_WAITS | WAITS | OPENS | FUTEXES | QUEUES
"""Calls that may wait, and so be interrupted."""
_STOPPABLE = EPOLL_WAITS | SYSV_WAITS | IO_WAITS | RECEIVES | ACCEPTS
"""Calls that fail with EINTR after a stop, even without a handler; those on sockets if a timeout is set for them."""
_STDERR = 2


class Interruption(msgspec.Struct, eq=False):
    """An interrupted call, and what the thread has done about it so far."""

    aftermath: Aftermath
    descriptor: Descriptor | None
    seen: bool
    """Whether the program is known to have got EINTR: with ERESTART* only after the handler has returned."""
    signal: Signal | None = None
    arranged: Syscall | None = None
    """The call that installed the handler of the signal."""
    depth: int = 0
    """How many handlers are running."""
    returned: Syscall | None = None
    """The sigreturn after which the program got EINTR."""
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


def by_attach(interruption: Interruption, thread: Thread) -> bool:
    """Whether the attach of strace may have interrupted the call: the first one of a thread that ran before.

    strace stops each thread that it attaches to, as SIGSTOP would; what is restarted after a handler, or with what is
    left of its timeout, is not interrupted for the program: signal(7), "by stop signals"; ptrace(2), PTRACE_INTERRUPT.
    """
    seen_born = interruption.process.started is not None or interruption.process.execs > 0
    call = interruption.call
    return not seen_born and interruption.signal is None and call.line == thread.appeared and call.name in _STOPPABLE


def subject(action: Action) -> Descriptor | None:
    """Return the descriptor that a call is made on, also for a call that the model does not follow."""
    number = action.call.number("fd")
    return action.descriptor or (None if number is None else action.process.table.get(number))


def deliver(interruption: Interruption, signal: Signal) -> None:
    """Note a signal: the first one interrupted the call; if a handler is installed, the next calls belong to it."""
    signals = interruption.process.signals
    if interruption.signal is None:
        interruption.signal, interruption.arranged = signal, signals.set_by.get(signal.name)
    if signals.get(signal.name) is Disposition.HANDLED:
        interruption.depth += 1


def is_report(call: Syscall) -> bool:
    """Whether a write reports EINTR: on fd 2 by text, name or number, elsewhere (a log, a reply) by text.

    A message on fd 2 of which strace shows no text may be that report.
    """
    if call.name not in WRITES or not call.result or call.result < 0:
        return False
    if call.number(0) == _STDERR:
        said = Complaint((call,))
        return said.names_error("EINTR") is not None or said.withheld is not None
    return "Interrupted system call" in call.body


def is_retry(interruption: Interruption, action: Action) -> bool:
    """Whether a call repeats the interrupted one or replaces it, such as a wait for readiness."""
    name, before = action.call.name, interruption.call
    if name in WAITS or name == "restart_syscall":
        return True
    if name in CHILD_WAITS:
        return before.name in CHILD_WAITS
    if before.name not in ON_DESCRIPTORS:
        return name == before.name and (name not in FUTEXES or action.call.body[:14] == before.body[:14])
    if interruption.descriptor is None or subject(action) is not interruption.descriptor:
        return False
    alike = any(name in names and before.name in names for names in (INPUTS, _OUTPUTS))
    # An interrupted connect continues in the kernel, and the socket reports the outcome.
    return alike or name == before.name or (before.name == "connect" and name in ("getsockopt", "getpeername"))
