"""The result of `apply`: the objects that one event acted on, and all that a rule sees of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Registration, Round
from tracediag.kernel.process import Process, Thread
from tracediag.trace.events import Begun, Event, Syscall

if TYPE_CHECKING:
    from tracediag.kernel.kernel import Kernel


class FlagChange(msgspec.Struct, eq=False, gc=False):
    """The status flags of a description before an F_SETFL."""

    on: frozenset[str]
    """Settable flags known to have been on."""
    complete: bool
    """Whether `on` holds every flag that was on."""
    access: str | None
    fetched: Syscall | None
    """The F_GETFL whose value the F_SETFL modified, if any."""
    changed: Syscall | None
    """The earlier call that set the flags, if any."""
    mistaken: Syscall | None = None
    """The F_GETFD before it, if it was the last fcntl about flags: its value may be mistaken for status flags."""


class Action(msgspec.Struct, eq=False, gc=False):
    """An event and the objects it acted on, after the kernel's state has changed."""

    event: Event
    kernel: Kernel
    thread: Thread
    descriptor: Descriptor | None = None
    """The descriptor that the call was made on: its first descriptor argument."""
    opened: tuple[Descriptor, ...] = ()
    """The descriptors that the call created."""
    released: tuple[Descriptor, ...] = ()
    """The descriptors that the call released: close, dup2, execve, exit."""
    finished: Round | None = None
    """The turn of the event loop that ends here, because the thread waits again."""
    round: Round | None = None
    """The turn of the event loop that starts here, because the wait returned."""
    registration: Registration | None = None
    """The entry that an epoll_ctl added, changed or removed, or failed to."""
    change: FlagChange | None = None
    """For F_SETFL: what the flags were before."""

    @property
    def process(self) -> Process:
        """The process of the thread."""
        return self.thread.process

    @property
    def call(self) -> Syscall:
        """The event as a complete call.

        Raises:
            TypeError: if the event is something else.
        """
        if isinstance(self.event, Syscall):
            return self.event
        raise TypeError(f"line {self.event.line} is no call")

    @property
    def began(self) -> Syscall | Begun:
        """The event as a call or as the first half of one.

        Raises:
            TypeError: if the event is something else.
        """
        if isinstance(self.event, Syscall | Begun):
            return self.event
        raise TypeError(f"line {self.event.line} is no call")
