"""The address space of a process: its mappings and the files that were truncated: mmap(2), munmap(2), ftruncate(2).

Programs make thousands of mappings, and a rule rarely needs to look up an address. So the calls are stored unparsed
and are parsed only on a lookup.
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
    """One mapping, from the mmap or mremap that made it."""

    call: Syscall
    file: OpenFile | None
    """The mapped file; None for anonymous memory."""

    @property
    def start(self) -> int:
        """The first address."""
        return self.call.result or 0

    @property
    def length(self) -> int:
        """The length in bytes; 0 where the trace does not show it."""
        return self.call.number(2 if self.call.name == "mremap" else 1) or 0

    @property
    def memory(self) -> bool:
        """Whether this is private memory to be written, not a file, a stack or a reservation of addresses."""
        if self.file is not None or not self.call.has("PROT_WRITE"):
            return False
        return not (self.call.has("MAP_STACK") or self.call.has("MAP_NORESERVE"))

    @property
    def stack(self) -> bool:
        """Whether this is the stack of a thread, as the C library maps it."""
        return "MAP_STACK" in names_of(self.call.arg("flags"))


class AddressSpace(msgspec.Struct, eq=False):
    """The mappings of a process, or of several that share their memory."""

    mappings: dict[int, Mapping] = msgspec.field(default_factory=dict)
    """By first address, the latest last."""
    unmaps: deque[Syscall] = msgspec.field(default_factory=lambda: deque(maxlen=_UNMAPS_KEPT))
    top: tuple[Syscall, Syscall] | None = None
    """The first and the last brk that returned: between their results lies the heap that brk made."""
    own: bool = True
    """Whether `mappings` belongs to this space alone: after fork it is shared until either side changes it."""

    def add(self, mapping: Mapping) -> None:
        """Add a mapping; it replaces an older one at the same address."""
        if not self.own:
            self._own()
        mappings, start = self.mappings, mapping.call.result or 0
        mappings.pop(start, None)
        mappings[start] = mapping
        if len(mappings) > _KEPT:
            del mappings[next(iter(mappings))]

    def _own(self) -> None:
        self.mappings = dict(self.mappings)
        self.own = True

    def copy(self) -> AddressSpace:
        """Copy the space as fork does."""
        self.own = False
        return AddressSpace(self.mappings, self.unmaps.copy(), self.top, own=False)

    @property
    def grown(self) -> int:
        """The bytes of private memory that were mapped and not unmapped, and by which brk grew, as far as is kept."""
        gone = {call.number(0) for call in self.unmaps}
        mapped = sum(one.length for one in self.mappings.values() if one.memory and one.start not in gone)
        first, last = self.top or (None, None)
        heap = 0 if first is None or last is None else (last.result or 0) - (first.result or 0)
        return mapped + max(0, heap)

    def find(self, address: int) -> Mapping | None:
        """Return the latest mapping made over an address, even if it was unmapped later."""
        for mapping in reversed(self.mappings.values()):
            if mapping.start <= address < mapping.start + mapping.length:
                return mapping
        return None

    def unmapped(self, address: int, since: int = 0) -> Syscall | None:
        """Return the munmap that removed an address after a line of the trace."""
        for call in reversed(self.unmaps):
            start, length = call.number(0), call.number(1)
            if call.line > since and start is not None and start <= address < start + (length or 0):
                return call
        return None


class Cut(msgspec.Struct, frozen=True):
    """A file whose length was changed: ftruncate, truncate, or an open with O_TRUNC."""

    call: Syscall
    file: OpenFile | None
    path: str | None
    length: int | None

    def hits(self, file: OpenFile) -> bool:
        """Whether this call changed that file: the same description, or else the same path."""
        return self.file is file or (self.path is not None and self.path == file.path)
