"""What one event acted on, resolved: the answer of `Kernel.apply`, and all that a rule gets to see of a call."""

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
    """Whether all that were on are in `on`."""
    access: str | None
    fetched: Syscall | None
    """The F_GETFL that stood behind the change, if any."""
    changed: Syscall | None
    """The call that had set the flags before, if any but the first."""
    mistaken: Syscall | None = None
    """The F_GETFD that was the last fcntl about flags before it: its value may have been taken for status flags."""


class Action(msgspec.Struct, eq=False, gc=False):
    """An event and the objects it acted on, after the kernel's state has changed."""

    event: Event
    kernel: Kernel
    thread: Thread
    descriptor: Descriptor | None = None
    """The incarnation that the call was made on: its first descriptor argument."""
    opened: tuple[Descriptor, ...] = ()
    """The incarnations that the call made."""
    released: tuple[Descriptor, ...] = ()
    """The incarnations that it ended: close, dup2, execve, exit."""
    finished: Round | None = None
    """The turn of the event loop that ends here, since the thread waits again."""
    round: Round | None = None
    """The turn of the event loop that starts here, since the wait returned."""
    registration: Registration | None = None
    """The entry that an epoll_ctl made, changed or removed, or failed to."""
    change: FlagChange | None = None
    """For F_SETFL: what the flags were before."""

    @property
    def process(self) -> Process:
        """The process of the thread."""
        return self.thread.process

    @property
    def call(self) -> Syscall:
        """The event as a whole call.

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
