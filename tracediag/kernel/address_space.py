"""The address space of a process: which calls mapped what, and which files were cut: mmap(2), munmap(2), ftruncate(2).

Programs map by the thousand and hardly ever is it asked what lies at an address, so the calls are kept as they were,
and taken apart only then.
"""

from __future__ import annotations

from collections import deque

import msgspec

from tracediag.kernel.descriptor import OpenFile
from tracediag.trace.events import Syscall
from tracediag.trace.values import names_of

_KEPT = 1024
_UNMAPS_KEPT = 64


class Mapping(msgspec.Struct, eq=False):
    """One mmap or mremap, as it was made."""

    call: Syscall
    file: OpenFile | None
    """What is mapped; None for anonymous memory."""

    @property
    def start(self) -> int:
        """The first address."""
        return self.call.result or 0

    @property
    def length(self) -> int:
        """The length in bytes; 0 where the trace does not show it."""
        return self.call.number(2 if self.call.name == "mremap" else 1) or 0

    @property
    def stack(self) -> bool:
        """Whether it is the stack of a thread, as the C library maps it."""
        return "MAP_STACK" in names_of(self.call.arg("flags"))


class AddressSpace(msgspec.Struct, eq=False):
    """What a process, or several that share their memory, has mapped."""

    mappings: dict[int, Mapping] = msgspec.field(default_factory=dict)
    """By first address, the latest last."""
    unmaps: deque[Syscall] = msgspec.field(default_factory=lambda: deque(maxlen=_UNMAPS_KEPT))
    own: bool = True
    """Whether `mappings` belongs to this space alone: a fork shares it until one of the two changes it."""

    def add(self, mapping: Mapping) -> None:
        """Take in a mapping, in the place of an older one at the same address."""
        self._own()
        self.mappings.pop(mapping.start, None)
        self.mappings[mapping.start] = mapping
        if len(self.mappings) > _KEPT:
            del self.mappings[next(iter(self.mappings))]

    def _own(self) -> None:
        if not self.own:
            self.mappings = dict(self.mappings)
            self.own = True

    def copy(self) -> AddressSpace:
        """Copy the space as fork does."""
        self.own = False
        return AddressSpace(self.mappings, self.unmaps.copy(), own=False)

    def find(self, address: int) -> Mapping | None:
        """Return the latest mapping that was made over an address, unmapped since or not."""
        for mapping in reversed(self.mappings.values()):
            if mapping.start <= address < mapping.start + mapping.length:
                return mapping
        return None

    def unmapped(self, address: int, since: int = 0) -> Syscall | None:
        """Return the munmap that took an address away after a line of the trace."""
        for call in reversed(self.unmaps):
            start, length = call.number(0), call.number(1)
            if call.line > since and start is not None and start <= address < start + (length or 0):
                return call
        return None


class Cut(msgspec.Struct, frozen=True):
    """A file given another length: ftruncate, truncate, or an open with O_TRUNC."""

    call: Syscall
    file: OpenFile | None
    path: str | None
    length: int | None

    def hits(self, file: OpenFile) -> bool:
        """Whether it is that file, by the description or else by the path."""
        return self.file is file or (self.path is not None and self.path == file.path)
