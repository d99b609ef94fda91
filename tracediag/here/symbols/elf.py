"""Where the parts of an ELF file are in memory: elf(5).

strace prints where in the file a frame's code is if it unwinds with libunwind, and its address if with libdw; debug
information knows addresses. Both are the same in most programs, but not in those that have a fixed address.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

import msgspec

_EXECUTABLE = 2
"""ET_EXEC: it has fixed addresses."""
_LOADED = 1
"""PT_LOAD."""
_MOST_PARTS = 256


class _Part(msgspec.Struct, frozen=True):
    """A part of the file that is mapped."""

    start: int
    """Where in the file."""
    address: int
    size: int


class Image(msgspec.Struct, frozen=True):
    """The mapped parts of a program or library."""

    fixed: bool
    """Whether it runs at the addresses of the file, and nowhere else."""
    parts: tuple[_Part, ...]

    def addresses(self, value: int) -> tuple[int, ...]:
        """Return the addresses in the file's own terms that strace may mean by a number, the most likely one first."""
        within = [value - part.start + part.address for part in self.parts if 0 <= value - part.start < part.size]
        if self.fixed and any(0 <= value - part.address < part.size for part in self.parts):
            return (value,)
        return tuple(dict.fromkeys([*within, value]))


def read_image(file: BinaryIO) -> Image | None:
    """Read the headers of an open file; None if it is not ELF."""
    head = file.read(64)
    if len(head) < 52 or head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    order, wide = "<" if head[5] == 1 else ">", head[4] == 2
    if len(head) < (64 if wide else 52):
        return None
    kind = struct.unpack_from(f"{order}H", head, 16)[0]
    table = struct.unpack_from(f"{order}{'Q' if wide else 'I'}", head, 32 if wide else 28)[0]
    size, count = struct.unpack_from(f"{order}HH", head, 54 if wide else 42)
    form = f"{order}IIQQQQ" if wide else f"{order}IIIII"
    if size < struct.calcsize(form) or count > _MOST_PARTS:
        return None
    file.seek(table)
    rows = file.read(size * count)
    parts = []
    for place in range(0, len(rows) - size + 1, size):
        found = struct.unpack_from(form, rows, place)
        if found[0] == _LOADED:
            start, address, held = (found[2], found[3], found[5]) if wide else (found[1], found[2], found[4])
            parts.append(_Part(start, address, held))
    return Image(fixed=kind == _EXECUTABLE, parts=tuple(parts))
