"""Event loops: epoll sets, their registrations, what each wakeup reported and how the program answered it.

An epoll registration belongs to the pair of number and *open file description*; it ends with EPOLL_CTL_DEL or with the
last reference to the description, not with close(2) of the number: epoll(7), "Questions and answers".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracediag.trace.events import Begun, Event, Syscall

if TYPE_CHECKING:
    from tracediag.kernel.descriptor import Descriptor, OpenFile
    from tracediag.kernel.process import Process

_UNASKED = frozenset({"EPOLLHUP", "EPOLLERR"})
"""Reported whether or not they are asked for: epoll_ctl(2)."""
HANGUPS = frozenset({"EPOLLHUP", "EPOLLERR", "EPOLLRDHUP", "POLLHUP", "POLLERR", "POLLRDHUP"})
"""Events that report a peer that is gone or a failed socket."""

_KEPT = 4


class Registration(msgspec.Struct, eq=False):
    """One entry of an epoll set."""

    epoll: EpollSet
    number: int
    file: OpenFile
    descriptor: Descriptor
    events: frozenset[str] | None
    """The requested events; None if the trace does not show them."""
    data: int | None
    added: Syscall | None
    """The EPOLL_CTL_ADD; None if it was not traced and the entry is inferred from later calls."""
    added_by: Process | None = None
    """The process that made the EPOLL_CTL_ADD."""
    removed: Event | None = None

    @property
    def edge_triggered(self) -> bool | None:
        """Whether EPOLLET is set; None where not known."""
        return None if self.events is None else "EPOLLET" in self.events


class EpollSet(msgspec.Struct, eq=False):
    """One epoll instance."""

    entries: dict[tuple[int, OpenFile], Registration] = msgspec.field(default_factory=dict)
    """By number and identity of the description."""
    by_data: dict[int, Registration] = msgspec.field(default_factory=dict)
    removals: dict[int, Syscall] = msgspec.field(default_factory=dict)
    """The last EPOLL_CTL_DEL of each number."""

    def find(self, number: int, file: OpenFile) -> Registration | None:
        """Return the entry of that number and description."""
        return self.entries.get((number, file))

    def add(self, entry: Registration) -> None:
        """Take in an entry, in the place of an older one of the same key or data."""
        self.entries[entry.number, entry.file] = entry
        entry.file.registrations[entry] = None
        if entry.data is not None:
            self.by_data[entry.data] = entry

    def remove(self, entry: Registration, event: Event) -> None:
        """Remove an entry, by EPOLL_CTL_DEL or with its description."""
        entry.removed = event
        self.entries.pop((entry.number, entry.file), None)
        entry.file.registrations.pop(entry, None)
        # by_data keeps it: later events with its data show a bug in the program, or come from an earlier batch.


class Readiness(msgspec.Struct, eq=False):
    """What one wakeup reported of one descriptor, and the calls made on it before the next wait."""

    events: frozenset[str]
    number: int | None
    """The descriptor number; None if only unknown data was reported."""
    data: int | None = None
    descriptor: Descriptor | None = None
    registration: Registration | None = None
    calls: list[Syscall] = msgspec.field(default_factory=list)
    """The first few calls made on it."""
    touched: int = 0
    """How many calls were made on it."""
    last: Syscall | None = None

    def rearmed(self) -> int:
        """Return how many of the calls only ask to be told of the same again (EPOLL_CTL_MOD): no progress."""
        return sum(_asks_again(call, self.events) for call in self.calls if call.name == "epoll_ctl")

    def touch(self, call: Syscall) -> None:
        """Count a call on the descriptor."""
        self.touched += 1
        self.last = call
        if len(self.calls) < _KEPT:
            self.calls.append(call)


def _asks_again(call: Syscall, events: frozenset[str]) -> bool:
    if call.failed or not call.has("EPOLL_CTL_MOD"):
        return False
    return not _UNASKED.isdisjoint(events) or any(map(call.has, events))


class Round(msgspec.Struct, eq=False):
    """One turn of an event loop: from a wait that returned to the thread's next wait."""

    wait: Syscall
    reports: tuple[Readiness, ...]
    epoll: EpollSet | None = None
    """None for poll and select."""
    set_descriptor: Descriptor | None = None
    """The descriptor of the epoll set that the thread waited on."""
    calls: int = 0
    """How many calls the thread made before it waited again."""
    first: Descriptor | None = None
    """The first descriptor that was used."""
    paused: Syscall | None = None
    """A sleep that the thread made before it waited again, or another wait that returned without events."""
    ended_by: Syscall | Begun | None = None
