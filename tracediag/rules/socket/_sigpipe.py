"""Writes that raise SIGPIPE: which calls can, what guards a call, and which write a signal belongs to."""

from __future__ import annotations

import msgspec

from tracediag.kernel import Action
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.signals import Disposition
from tracediag.rules.socket._names import toward
from tracediag.trace.calls import WRITES
from tracediag.trace.events import Syscall
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Exit, Signal
from tracediag.trace.values import names_of

_STANDARD_STREAMS = 3

RAISING = WRITES | {"pwritev", "sendfile", "sendfile64", "splice", "tee", "vmsplice"}
"""Calls that raise SIGPIPE."""
_FLAGS_AT = {"send": 3, "sendto": 3, "sendmsg": 2, "sendmmsg": 3}
_SENDER = lazy_pattern(r"\bsi_pid=([0-9]{1,10}+)")


class BrokenWrite(msgspec.Struct):
    """A write after the other end closed, and its SIGPIPE; a filtered trace shows only one of the two."""

    thread: Thread
    descriptor: Descriptor | None
    call: Syscall | None
    signal: Signal | None = None
    again: Signal | None = None
    """The signal that the program's handler raised again."""
    returned: bool = False
    """Whether the handler has returned."""

    @property
    def target(self) -> str:
        """The write and where it goes: "send to 10.0.0.5:5432", "write on fd 1"."""
        name = "a write" if self.call is None else self.call.name
        return name if self.descriptor is None else f"{name} {toward(self.descriptor)}"

    def killed(self, process: Process) -> bool:
        """Whether the write killed the process: the kernel gives the writer's own pid as the sender."""
        if self.call is not None:
            return not self.returned or self.again is not None
        if self.signal is None:
            return False
        sender = _SENDER.search(self.signal.info)
        return sender is None or process.pid is None or checked_integer(sender[1]) == process.pid

    def was_to_pipe(self, end: Exit) -> bool:
        """Whether the write is not in the trace and the process held no socket for it: most likely a pipeline.

        A program that sends with send or sendmsg, as a recording of the network calls shows, does not use write there.
        """
        if self.call is not None or self.descriptor is not None:
            return False
        held = (held for held in self.thread.process.table.last_closed.values() if held.closed is end)
        return not any(_may_be_written_to(found) for found in held)


def last_written(thread: Thread) -> Descriptor | None:
    """Return what the thread's last call wrote to, where that call was a write."""
    call = thread.last_call
    return None if call is None or call.name not in RAISING else thread.process.table.get(call.number(0) or 0)


def in_pipeline(descriptor: Descriptor | None) -> bool:
    """Whether a descriptor is standard output or error, and no socket."""
    return descriptor is not None and descriptor.number in (1, 2) and descriptor.file.kind is not Kind.SOCKET


def _may_be_written_to(held: Descriptor) -> bool:
    """Whether a descriptor is a connection on which the trace shows no sending."""
    socket, made = held.file.socket, held.file.opened
    if socket is None or socket.listening is not None or socket.last_write is not None:
        return False
    return socket.connected is not None or made is None or made.name != "socket"


def guarded(thread: Thread, call: Syscall) -> bool:
    """Whether this call cannot raise SIGPIPE."""
    position = _FLAGS_AT.get(call.name)
    if position is not None and "MSG_NOSIGNAL" in names_of(call.arg(position)):
        return True
    return "SIGPIPE" in thread.blocked or thread.process.signals.get("SIGPIPE") is Disposition.IGNORED


def exposed(action: Action) -> bool:
    """Whether a call on a stream socket is unguarded while SIGPIPE is known to have the default action."""
    descriptor, signals = action.descriptor, action.process.signals
    if descriptor is None or descriptor.file.socket is None or not descriptor.file.socket.stream:
        return False
    if descriptor.number < _STANDARD_STREAMS and action.process.execs:
        return False  # a standard stream, of whatever kind: SIGPIPE ends the program as in a pipeline
    default = Disposition.DEFAULT if signals.from_exec else None
    return (signals.get("SIGPIPE") or default) is Disposition.DEFAULT and not guarded(action.thread, action.call)
