"""Descriptors and open file descriptions: open(2), dup(2).

A *number* is reused; an incarnation, `Descriptor`, is not. Several descriptors, in one table or in several, can refer
to one `OpenFile` (the kernel's open file description), which carries the status flags and the epoll registrations.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from tracediag.events import Begun, Event, Syscall
from tracediag.kernel.flags import StatusFlags, opened_with
from tracediag.values import text_of

if TYPE_CHECKING:
    from tracediag.kernel.epoll import EpollSet, Readiness, Registration
    from tracediag.kernel.pipe import PipeEnd
    from tracediag.kernel.socket import Socket
    from tracediag.kernel.table import DescriptorTable


PATHS = {"open": 0, "openat": 1, "openat2": 1, "creat": 0}
"""Where the calls that open by path have it."""


class Kind(StrEnum):
    """What an open file description refers to."""

    UNKNOWN = "unknown"
    FILE = "file"
    SOCKET = "socket"
    PIPE = "pipe"
    EPOLL = "epoll"
    DEVICE = "device"
    EVENTFD = "eventfd"
    TIMERFD = "timerfd"
    SIGNALFD = "signalfd"
    INOTIFY = "inotify"
    FANOTIFY = "fanotify"
    PIDFD = "pidfd"
    MEMFD = "memfd"
    IO_URING = "io_uring"
    OTHER = "other"
    """perf_event_open, userfaultfd, namespaces and the like."""


class OpenFile(msgspec.Struct, eq=False):
    """One open file description; it lives as long as any descriptor, anywhere, refers to it."""

    kind: Kind = Kind.UNKNOWN
    opened: Syscall | None = None
    """The call that made it; None where it was there before the trace began."""
    known_flags: StatusFlags | None = None
    """The status flags, once somebody has asked for them; see `flags`."""
    stated: Syscall | None = None
    """The last F_GETFL, as long as nobody has asked for its answer."""
    known_path: str | None = None
    """The path, once somebody has asked for it; see `path`."""
    socket: Socket | None = None
    pipe: PipeEnd | None = None
    epoll: EpollSet | None = None
    holders: list[Descriptor] = msgspec.field(default_factory=list)
    """The live descriptors that refer to it, as far as the trace shows."""
    heirs: list[DescriptorTable] = msgspec.field(default_factory=list)
    """The tables of forked processes that hold it under a number they have not used yet."""
    sent: Syscall | Begun | None = None
    """The SCM_RIGHTS message that may have given it to a process not traced: unix(7); None once its receipt is seen."""
    released: Event | None = None
    """What ended the last reference known at that time; see `closed`."""
    registrations: list[Registration] = msgspec.field(default_factory=list)
    memory: dict[str, Any] = msgspec.field(default_factory=dict)
    """What rules remember of it, by rule name."""

    @property
    def flags(self) -> StatusFlags:
        """The status flags. Few opened files are ever asked for them, so the opening call is only parsed then."""
        if self.known_flags is None:
            self.known_flags = StatusFlags() if self.opened is None else opened_with(self.opened)
        if self.stated is not None:
            self.known_flags.fetch(self.stated)
            self.stated = None
        return self.known_flags

    @property
    def path(self) -> str | None:
        """The path it was opened by, or that `-y` shows."""
        if self.known_path is None and self.opened is not None and self.opened.name in PATHS:
            path = text_of(self.opened.arg(PATHS[self.opened.name]))
            self.known_path = None if path is None else str(path)
        return self.known_path

    @property
    def noted(self) -> bool:
        """Whether anybody would care about its end: an epoll set watches it, or a rule remembers something of it."""
        return bool(self.registrations or self.memory)

    @property
    def inherited(self) -> bool:
        """Whether it was there before the trace: others may hold it too."""
        return self.opened is None

    @property
    def other(self) -> OpenFile | None:
        """The other end of its connection or pipe, where the trace shows both."""
        if self.socket is not None:
            return self.socket.other
        return None if self.pipe is None else self.pipe.other

    @property
    def referred(self) -> bool:
        """Whether a descriptor of a process in the trace refers to it."""
        return bool(self.heirs) or any(holder.table.seen for holder in self.holders)

    @property
    def closed(self) -> Event | None:
        """What closed it for good, a close, an execve or an exit: `Kernel.closed` thinks of unfollowed children, too.

        None while somebody holds it, and where a process that was there before the trace may.
        """
        return None if self.inherited or self.sent is not None or self.referred else self.released


class Descriptor(msgspec.Struct, eq=False):
    """One incarnation of a number in a table, from the call that made it to the one that releases it."""

    number: int
    file: OpenFile
    table: DescriptorTable
    opened: Syscall | None = None
    """The call that made it; for a copy made by fork, the call that made the original."""
    cloexec: bool | None = None
    freed: Event | None = None
    """What had ended the incarnation that had the number before."""
    copy_of: Descriptor | None = None
    """The descriptor that it was copied from by dup or fork."""
    closing: Begun | None = None
    """A close that has begun and not yet returned: the number may be handed out again meanwhile."""
    closed: Event | None = None
    readiness: Readiness | None = None
    """What the last wakeup of a loop said of it, while that loop is still handling it."""
    waited_for: bool = False
    """Whether a loop was ever woken for it."""
    memory: dict[str, Any] = msgspec.field(default_factory=dict)
    """What rules remember of it, by rule name."""

    @property
    def noted(self) -> bool:
        """Whether anybody would care about its end: it was waited for, or a rule remembers something of it."""
        return self.waited_for or bool(self.memory) or self.file.noted

    @property
    def others(self) -> list[Descriptor]:
        """The other live descriptors of the same description, in processes that the trace follows."""
        for table in list(self.file.heirs):
            table.claim(self.file)
        return [holder for holder in self.file.holders if holder is not self and holder.table.seen]
