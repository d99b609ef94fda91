"""Descriptors and open file descriptions: open(2), dup(2).

A *number* is reused; an incarnation, `Descriptor`, is not. Several descriptors, in one table or in several, can refer
to one `OpenFile` (the kernel's open file description), which carries the status flags and the epoll registrations.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from tracediag.kernel.flags import StatusFlags, opened_with
from tracediag.kernel.watched import Watched
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.values import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracediag.kernel.epoll import EpollSet, Readiness, Registration
    from tracediag.kernel.inheritance import Inheritance
    from tracediag.kernel.pipe import PipeEnd
    from tracediag.kernel.process import Process
    from tracediag.kernel.socket import Socket
    from tracediag.kernel.table import DescriptorTable


PATHS = {"open": 0, "openat": 1, "openat2": 1, "creat": 0}
"""Where the calls that open by path have it."""


_ENOUGH = 3
"""Reads of nothing that every program makes: the one that shows the end, and one more or two to be sure."""


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


MESSAGES = frozenset(Kind) - {Kind.UNKNOWN, Kind.FILE, Kind.SOCKET, Kind.PIPE, Kind.DEVICE, Kind.MEMFD}
"""Kinds that are read and written, if at all, in messages of their own, not as a row of bytes."""


class AtEnd(msgspec.Struct, eq=False, gc=False):
    """Reads in a row on one open file description that gave 0 bytes."""

    first: Syscall
    last: Syscall
    before: int
    """How often the thread had waited before the first: `Thread.waits`."""
    after: int
    """The same before the last."""
    second: Syscall | None = None
    times: int = 1

    @property
    def waits(self) -> int:
        """How often the thread has waited between the first and the last."""
        return self.after - self.before


class OpenFile(Watched, eq=False):
    """One open file description; it lives as long as any descriptor, anywhere, refers to it."""

    kind: Kind = Kind.UNKNOWN
    opened: Syscall | None = None
    """The call that made it; None where it was there before the trace began."""
    arrived: bool = False
    """Whether a snapshot of /proc shows it, as it was before the trace began."""
    known_flags: StatusFlags | None = None
    """The status flags, once somebody has asked for them; see `flags`."""
    terminal: bool = False
    """Whether it has answered as a terminal does: TCGETS in ioctl_tty(2)."""
    stated: Syscall | None = None
    """The last F_GETFL, until its flags are asked for."""
    known_path: str | None = None
    """The path, once somebody has asked for it; see `path`."""
    socket: Socket | None = None
    pipe: PipeEnd | None = None
    epoll: EpollSet | None = None
    holders: dict[Descriptor, None] = msgspec.field(default_factory=dict)
    """The live descriptors that refer to it, as far as the trace shows."""
    heirs: dict[Inheritance, None] | None = None
    """What forked processes hold it by, that have not used its number yet; see `heir_tables`. Most files have none."""
    strays: dict[Inheritance, None] | None = None
    """The same for processes of which the trace holds no call: strace did not follow them."""
    at_end: AtEnd | None = None
    """The reads in a row that gave nothing, up to now; None once there was data again, and for sockets."""
    longest: AtEnd | None = None
    """The most such reads in a row of those that ended with data, if more than every program makes."""
    sent: Syscall | Begun | None = None
    """The SCM_RIGHTS message that may have given it to a process not traced: unix(7); None once its receipt is seen."""
    released: Event | None = None
    """What ended the last reference known at that time; see `closed`."""
    written: Syscall | None = None
    """The last write that brought data into what is no socket; those at an offset of their own are not followed."""
    got: Syscall | None = None
    """The last call that took data out of what is no socket; those at an offset of their own are not followed."""
    taken: int = 0
    """How many bytes such writes have brought so far."""
    locked: tuple[Syscall, Process] | None = None
    """The flock(2) that gave it the lock it has, with the process that made the call."""
    registrations: dict[Registration, None] = msgspec.field(default_factory=dict)
    used: Syscall | None = None
    """The last call made on it but for close, by any descriptor, thread or process, once a loop was woken for it."""
    waited_for: bool = False
    """Whether a loop was ever woken for it."""

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
        """Whether rules are told of its end: a set watches it, a rule has a case on it, it was read past its end."""
        return bool(self.registrations or self.watchers) or self.longest is not None or self._past_end

    @property
    def _past_end(self) -> bool:
        return self.at_end is not None and self.at_end.times > _ENOUGH

    def more(self) -> None:
        """There is data again: the reads in a row that gave none are over."""
        self.longest, self.at_end = self.most_at_end, None

    @property
    def most_at_end(self) -> AtEnd | None:
        """The most reads in a row that returned 0 bytes, including those up to now; None if too few to matter."""
        end, most = self.at_end, self.longest
        return end if end is not None and end.times > max(_ENOUGH, 0 if most is None else most.times) else most

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
    def gone(self) -> bool:
        """Whether nothing refers to it, nor may bring it back: no descriptor, no heir, no message under way."""
        return not (self.holders or self.heirs or self.strays or self.sent)

    @property
    def referred(self) -> bool:
        """Whether a descriptor of a process in the trace refers to it."""
        return bool(self.heirs) or any(holder.table.seen for holder in self.holders)

    @property
    def heir_tables(self) -> Iterator[DescriptorTable]:
        """The tables of forked processes that hold it under a number they have not used yet."""
        for leaf in list(self.heirs or ()):
            yield from leaf.tables()

    def drop(self, leaf: Inheritance, *, followed: bool) -> None:
        """Note that they no longer do."""
        leaves = self.heirs if followed else self.strays
        if leaves is not None:
            leaves.pop(leaf, None)

    @property
    def closed(self) -> Event | None:
        """What closed it for good, a close, an execve or an exit: `Kernel.closed` thinks of unfollowed children, too.

        None while somebody holds it, and where a process that was there before the trace may.
        """
        return None if self.inherited or self.sent is not None or self.referred else self.released


class Descriptor(Watched, eq=False):
    """One incarnation of a number in a table, from the call that made it to the one that releases it."""

    number: int
    file: OpenFile
    table: DescriptorTable
    opened: Syscall | None = None
    """The call that made it; for a copy made by fork, the call that made the original."""
    cloexec: bool | None = None
    copy_of: Descriptor | None = None
    """The descriptor that it was copied from by dup or fork."""
    before: Descriptor | None = None
    """What had the number before, where the trace shows its close."""
    kept: Syscall | None = None
    """The call that cleared FD_CLOEXEC: it is meant to live through execve."""
    asked: Syscall | None = None
    """The F_GETFD that is the last fcntl about its flags, or those of its description."""
    closing: Begun | None = None
    """A close that has begun and not yet returned: the number may be handed out again meanwhile."""
    closed: Event | None = None
    readiness: Readiness | None = None
    """What the last wakeup of a loop said of it, while that loop is still handling it."""
    waited_for: bool = False
    """Whether a loop was ever woken for it."""

    @property
    def noted(self) -> bool:
        """Whether rules are told of its end: it was waited for, or a rule has a case on it."""
        return self.waited_for or bool(self.watchers) or self.file.noted

    @property
    def others(self) -> Iterator[Descriptor]:
        """The other live descriptors of the same description, in processes that the trace follows.

        Those of heirs that have not used theirs yet are made one by one, as they are asked for.
        """
        known = list(self.file.holders) if self.file.heirs else self.file.holders
        yield from (holder for holder in known if holder is not self and holder.table.seen)
        for table in list(self.file.heir_tables):
            before = len(self.file.holders)
            table.claim(self.file)
            yield from list(self.file.holders)[before:]
