"""Descriptors, open file descriptions and the tables that hold them: open(2), dup(2), fork(2), close(2).

A *number* is reused; an incarnation, `Descriptor`, is not. Several descriptors, in one table or in several, can refer
to one `OpenFile` (the kernel's open file description), which carries the status flags and the epoll registrations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tracediag.events import Begun, Event, Syscall
from tracediag.kernel.flags import StatusFlags

if TYPE_CHECKING:
    from tracediag.kernel.epoll import EpollSet, Readiness, Registration
    from tracediag.kernel.pipe import PipeEnd
    from tracediag.kernel.socket import Socket


class Kind(StrEnum):
    """What an open file description refers to."""

    UNKNOWN = "unknown"
    FILE = "file"
    SOCKET = "socket"
    PIPE = "pipe"
    EPOLL = "epoll"
    DEVICE = "device"
    OTHER = "other"
    """eventfd, timerfd, signalfd, inotify, pidfd, memfd and the like."""


@dataclass(slots=True, eq=False)
class OpenFile:
    """One open file description; it lives as long as any descriptor, anywhere, refers to it."""

    kind: Kind = Kind.UNKNOWN
    opened: Syscall | None = None
    """The call that made it; None where it was there before the trace began."""
    flags: StatusFlags = field(default_factory=StatusFlags)
    path: str | None = None
    socket: Socket | None = None
    pipe: PipeEnd | None = None
    epoll: EpollSet | None = None
    holders: list[Descriptor] = field(default_factory=list)
    """The live descriptors that refer to it, as far as the trace shows."""
    sent: Syscall | None = None
    """The SCM_RIGHTS message that may have given it to a process not traced: unix(7)."""
    registrations: list[Registration] = field(default_factory=list)
    memory: dict[str, Any] = field(default_factory=dict)
    """What rules remember of it, by rule name."""

    @property
    def inherited(self) -> bool:
        """Whether it was there before the trace: others may hold it too."""
        return self.opened is None


@dataclass(slots=True, eq=False)
class Descriptor:
    """One incarnation of a number in a table, from the call that made it to the one that releases it."""

    number: int
    file: OpenFile
    table: DescriptorTable
    opened: Syscall | None = None
    """The call that made it; for a copy made by fork, the call that made the original."""
    cloexec: bool | None = None
    copy_of: Descriptor | None = None
    """The descriptor that it was copied from by dup or fork."""
    closing: Begun | None = None
    """A close that has begun and not yet returned: the number may be handed out again meanwhile."""
    closed: Event | None = None
    readiness: Readiness | None = None
    """What the last wakeup of a loop said of it, while that loop is still handling it."""
    memory: dict[str, Any] = field(default_factory=dict)
    """What rules remember of it, by rule name."""

    @property
    def others(self) -> list[Descriptor]:
        """The other live descriptors of the same description, in processes that the trace follows."""
        return [holder for holder in self.file.holders if holder is not self and holder.table.seen]


@dataclass(slots=True, eq=False)
class DescriptorTable:
    """The numbers of one process, or of several that share them (CLONE_FILES)."""

    open: dict[int, Descriptor] = field(default_factory=dict)
    last_closed: dict[int, Descriptor] = field(default_factory=dict)
    """The latest incarnation of each number that was closed and not handed out again."""
    users: int = 1
    """How many processes share it."""
    seen: bool = False
    """Whether the trace holds a call of a process that uses it: false for a child that strace did not follow."""

    def __iter__(self) -> Iterator[Descriptor]:
        return iter(list(self.open.values()))

    def install(self, descriptor: Descriptor) -> Descriptor | None:
        """Put a new incarnation under its number; return the one that it pushes out, if any."""
        lost = self.open.get(descriptor.number)
        self.open[descriptor.number] = descriptor
        self.last_closed.pop(descriptor.number, None)
        descriptor.file.holders.append(descriptor)
        return lost

    def release(self, descriptor: Descriptor, event: Event) -> bool:
        """Take an incarnation out; return whether it was the last reference that the trace shows."""
        descriptor.closed = event
        descriptor.closing = None
        if self.open.get(descriptor.number) is descriptor:
            del self.open[descriptor.number]
            self.last_closed[descriptor.number] = descriptor
        holders = descriptor.file.holders
        if descriptor in holders:
            holders.remove(descriptor)
        return not any(holder.table.seen for holder in holders)

    def copy(self) -> DescriptorTable:
        """Copy the table as fork does: new descriptors for the same descriptions."""
        twin = DescriptorTable()
        for held in self.open.values():
            twin.install(
                Descriptor(held.number, held.file, twin, opened=held.opened, cloexec=held.cloexec, copy_of=held)
            )
        return twin
