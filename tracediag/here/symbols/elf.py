"""Where the parts of an ELF file are in memory, and where its functions begin: elf(5).

strace prints where in the file a frame's code is if it unwinds with libunwind, and its address if with libdw; debug
information knows addresses. Both are the same in most programs, but not in those that have a fixed address.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from typing import BinaryIO

import msgspec

_EXECUTABLE = 2
"""ET_EXEC: it has fixed addresses."""
_LOADED = 1
"""PT_LOAD."""
_SYMBOLS = frozenset({2, 11})
"""SHT_SYMTAB and SHT_DYNSYM."""
_MOST_ROWS = 4096
"""Program headers, or sections, of a file."""
_MOST_BYTES = 1 << 27
"""Of all its symbols: the largest programs have fewer."""
_THUMB = ~1
"""The lowest bit of a function's address tells ARM and MIPS the kind of its code."""


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
    begins: frozenset[int]
    """Of the addresses that were asked for, those at which a function begins."""
    named: bool
    """Whether the file names any function; else nothing begins anywhere."""

    def addresses(self, value: int) -> tuple[int, ...]:
        """Return the addresses in the file's own terms that strace may mean by a number, the most likely one first."""
        return _addresses(self.fixed, self.parts, value)


def _addresses(fixed: bool, parts: Collection[_Part], value: int) -> tuple[int, ...]:
    within = [value - part.start + part.address for part in parts if 0 <= value - part.start < part.size]
    if fixed and any(0 <= value - part.address < part.size for part in parts):
        return (value,)
    return tuple(dict.fromkeys([*within, value]))


def read_image(file: BinaryIO, asked: Collection[int] = ()) -> Image | None:
    """Read the headers of an open file, and whether functions begin at numbers of a trace; None if it is not ELF."""
    head = file.read(64)
    if len(head) < 52 or head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    order, wide = "<" if head[5] == 1 else ">", head[4] == 2
    if len(head) < (64 if wide else 52):
        return None
    fixed = struct.unpack_from(f"{order}H", head, 16)[0] == _EXECUTABLE
    programs, sections = struct.unpack_from(f"{order}{'QQ' if wide else 'II'}", head, 32 if wide else 28)
    size, count, width, rows = struct.unpack_from(f"{order}HHHH", head, 54 if wide else 42)
    parts = []
    for row in _rows(file, programs, size, count, f"{order}IIQQQQ" if wide else f"{order}IIIII"):
        if row[0] == _LOADED:
            start, address, held = (row[2], row[3], row[5]) if wide else (row[1], row[2], row[4])
            parts.append(_Part(start, address, held))
    wanted = {address for value in asked for address in _addresses(fixed, parts, value)}
    found, named, left = set(), False, _MOST_BYTES
    for row in _rows(file, sections, width, rows, f"{order}IIQQQQIIQQ" if wide else f"{order}IIIIIIIIII"):
        if row[1] in _SYMBOLS and row[5] <= left:
            left -= row[5]
            form, at = (f"{order}IBBHQQ", 4) if wide else (f"{order}IIIBBH", 1)
            each = struct.calcsize(form)
            for symbol in _rows(file, row[4], each, row[5] // each, form, most=_MOST_BYTES):
                named = named or symbol[at] > 0
                if (symbol[at] & _THUMB) in wanted or symbol[at] in wanted:
                    found |= {symbol[at], symbol[at] & _THUMB}
    return Image(fixed=fixed, parts=tuple(parts), begins=frozenset(found), named=named)


def _rows(
    file: BinaryIO, place: int, size: int, count: int, form: str, *, most: int = _MOST_ROWS
) -> Iterator[tuple[int, ...]]:
    """Yield the rows of a table in the file, each of `size` bytes, which begins with the fields of `form`."""
    if size < struct.calcsize(form) or count > most:
        return
    file.seek(place)
    held = file.read(size * count)
    for start in range(0, len(held) - size + 1, size):
        yield struct.unpack_from(form, held, start)
