"""Which memory is mapped: mmap(2), munmap(2), mremap(2), brk(2), exactly, with pieces unmapped from the middle.

The model's own `AddressSpace` remembers mappings for faults; it keeps what was unmapped, and bounds what it keeps.
"""

from __future__ import annotations

from bisect import bisect_left, insort

import msgspec

from tracediag.kernel import Action, Kernel
from tracediag.kernel.address_space import AddressSpace
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.numbers import look_up
from tracediag.kernel.process import Process
from tracediag.overviews.descriptors import line_of, what_of
from tracediag.results.state import Memory, Region
from tracediag.trace.calls import FORKS, MAPS
from tracediag.trace.events import Syscall
from tracediag.trace.values import names_of

_PAGE = 4096
_MOST = 1 << 16
"""Mappings of a process: vm.max_map_count is 65,530 unless changed."""
_STALE = 64
"""Address spaces that are remembered before those of ended programs are dropped."""
_CHANGES = MAPS | FORKS | {"munmap", "mremap", "brk"}


class Piece(msgspec.Struct, frozen=True):
    """A range of addresses that one call mapped."""

    start: int
    end: int
    call: Syscall
    file: OpenFile | None

    @property
    def key(self) -> int:
        """What pieces are ordered by."""
        return self.start


class Space:
    """The mappings of one address space, in order of address."""

    def __init__(self, pieces: list[Piece] | None = None, heap: tuple[int, int, Syscall] | None = None) -> None:
        self.pieces = pieces or []
        self.heap = heap
        """First and last program break, and the call that moved it last."""

    def copy(self) -> Space:
        """Copy it as fork does."""
        return Space(list(self.pieces), self.heap)

    def add(self, piece: Piece) -> None:
        """Map a range, in the place of what was there."""
        self.remove(piece.start, piece.end)
        if len(self.pieces) < _MOST:
            insort(self.pieces, piece, key=_start)

    def remove(self, start: int, end: int) -> None:
        """Unmap a range."""
        pieces = self.pieces
        first = max(bisect_left(pieces, start, key=_start) - 1, 0)
        last = bisect_left(pieces, end, key=_start)
        kept = []
        for piece in pieces[first:last]:
            if piece.start < start:
                kept.append(msgspec.structs.replace(piece, end=min(piece.end, start)))
            if piece.end > end:
                kept.append(msgspec.structs.replace(piece, start=max(piece.start, end)))
        pieces[first:last] = kept

    def move_break(self, call: Syscall) -> None:
        """Record the program break that brk returned."""
        now = call.result or 0
        self.heap = (now if self.heap is None else self.heap[0], now, call)

    def find(self, address: int) -> Piece | None:
        """Return the mapping of an address."""
        place = bisect_left(self.pieces, address + 1, key=_start) - 1
        piece = self.pieces[place] if place >= 0 else None
        return piece if piece is not None and address < piece.end else None


def _start(piece: Piece) -> int:
    return piece.start


class Mapped:
    """The address spaces of all processes."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._spaces: dict[AddressSpace, Space] = {}

    def take(self, action: Action) -> None:
        """Process one event, after the kernel has."""
        call = action.event
        if not isinstance(call, Syscall) or call.name not in _CHANGES or call.errno is not None or not call.returned:
            return
        if call.name in FORKS:
            child = self._kernel.process_table.find(call.result)
            if child is not None:
                self.of(child.process)
            return
        space = self.of(action.process)
        match call.name:
            case "munmap":
                start = call.number(0) or 0
                space.remove(start, _rounded(start + (call.number(1) or 0)))
            case "mremap":
                _move(space, call)
            case "brk":
                space.move_break(call)
            case _:
                _add(space, action, call)

    def of(self, process: Process) -> Space:
        """Return the mappings of a process; a child begins with a copy of its parent's."""
        found = self._spaces.get(process.space)
        if found is None:
            parent = process.parent
            known = None if parent is None or process.execs else self._spaces.get(parent.space)
            found = self._spaces[process.space] = Space() if known is None else known.copy()
            if len(self._spaces) > _STALE + 2 * len(self._kernel.process_table.threads):
                self._drop_stale()
        return found

    def _drop_stale(self) -> None:
        live = {thread.process.space for thread in self._kernel.process_table.threads.values()}
        self._spaces = {space: pieces for space, pieces in self._spaces.items() if space in live}


def _add(space: Space, action: Action, call: Syscall) -> None:
    start, length = call.result or 0, call.number(1) or 0
    file = None
    if "MAP_ANONYMOUS" not in (flags := names_of(call.arg("flags"))) and "MAP_ANON" not in flags:
        held = look_up(action, call.number(4))
        file = None if held is None else held.file
    space.add(Piece(start, _rounded(start + length), call, file))


def _move(space: Space, call: Syscall) -> None:
    old, new = call.number(0) or 0, call.result or 0
    old_length, length = call.number(1) or 0, call.number(2) or 0
    known = space.find(old)
    if old_length:  # 0 makes a second mapping of the same pages: mremap(2)
        space.remove(old, _rounded(old + old_length))
    maker, file = (call, None) if known is None else (known.call, known.file)
    space.add(Piece(new, _rounded(new + length), maker, file))


def _rounded(address: int) -> int:
    """Return the end of the page that an address is in: the kernel maps whole pages."""
    return -(-address // _PAGE) * _PAGE


def memory(space: Space, process: Process) -> Memory:
    """Return what is mapped, the largest region first."""
    regions = [_region(piece, process) for piece in space.pieces]
    if space.heap is not None and space.heap[1] > space.heap[0]:
        first, last, call = space.heap
        regions.append(Region(what="heap (brk)", start=first, length=last - first, line=line_of(call)))
    regions.sort(key=_bigness)
    return Memory(len(regions), sum(region.length for region in regions), tuple(regions))


def _bigness(region: Region) -> tuple[int, int]:
    return -region.length, region.line


def _region(piece: Piece, process: Process) -> Region:
    flags = names_of(piece.call.arg("flags")) if piece.call.name != "mremap" else frozenset()
    what = None if piece.file is None else what_of(piece.file, process)
    if what is None:
        what = "shared anonymous" if "MAP_SHARED" in flags else "anonymous"
        what = "thread stack" if "MAP_STACK" in flags else what
    return Region(what=what, start=piece.start, length=piece.end - piece.start, line=line_of(piece.call))
