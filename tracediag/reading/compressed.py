"""Decompresses gz, xz, bz2 and zst; a truncated or damaged file is read up to the damage.

The file classes of the standard library raise at damage, and the text before it is lost. Members after the first are
read as well, as gzip(1), xz(1), bzip2(1) and zstd(1) do.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Protocol

import msgspec

STEP = 128
"""Compressed bytes decompressed per step; in a step that hits damage, all output is lost."""
_PIECE = 1 << 15
_MOST_PADDING = 1 << 26
"""Zero bytes that are skipped after a member; a longer run may be endless."""
_LONGEST_MAGIC = 6


class Decompressor(Protocol):
    """The common interface of the standard library's decompressors; each reads one member."""

    @property
    def eof(self) -> bool:
        """Whether the member has ended."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether more input is needed before any output."""
        ...

    @property
    def unused_data(self) -> bytes:
        """The data after the end of the member."""
        ...

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most `max_length` bytes."""
        ...


class _Gzip:
    """One gzip member, with the interface of the other decompressors."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        found = self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)
        self.needs_input = len(found) < max_length
        return found


class Compression(msgspec.Struct, frozen=True):
    """One kind of compression."""

    name: str
    magic: re.Pattern[bytes]
    """The first bytes of each member."""
    make: Callable[[], tuple[Decompressor, type[Exception]]]
    """Returns a decompressor and its error for damaged data. Its module is imported here: most traces are plain."""


def _gzip() -> tuple[Decompressor, type[Exception]]:
    return _Gzip(), zlib.error


def _xz() -> tuple[Decompressor, type[Exception]]:
    import lzma  # noqa: PLC0415

    return lzma.LZMADecompressor(lzma.FORMAT_XZ), lzma.LZMAError


def _bzip2() -> tuple[Decompressor, type[Exception]]:
    import bz2  # noqa: PLC0415

    return bz2.BZ2Decompressor(), OSError


def _zstd() -> tuple[Decompressor, type[Exception]]:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415

    return zstd.ZstdDecompressor(), zstd.ZstdError


_KINDS = (
    Compression("gzip", re.compile(rb"\x1f\x8b"), _gzip),
    Compression("xz", re.compile(rb"\xfd7zXZ\x00"), _xz),
    Compression("bzip2", re.compile(rb"BZh[1-9]"), _bzip2),
    Compression("zstd", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), _zstd),
)


def compression_of(head: bytes) -> Compression | None:
    """Return the compression of a file that begins with these bytes, or None."""
    return next((kind for kind in _KINDS if kind.magic.match(head)), None)


class Decompressed:
    """The text of one compressed file."""

    def __init__(self, kind: Compression, chunks: Iterable[bytes]) -> None:
        """Wrap the compressed data; an empty chunk means that no more data has arrived for a moment."""
        self._kind = kind
        self._chunks = chunks
        self._member, self._error = kind.make()
        self._between = False
        """Whether a member has ended and the next has not begun."""
        self._padding = 0
        self._head = b""
        """The first bytes after a member and its padding, too few to identify."""
        self._done = False
        self.cut: str | None = None
        """Why the text ends early."""
        self.ignored: str | None = None
        """What stands after the last member."""

    def __iter__(self) -> Iterator[bytes]:
        """Yield the text in pieces; iterate once, then `cut` and `ignored` are set."""
        kept: list[bytes] = []
        size = 0
        for chunk in self._chunks:
            for text in self._feed(chunk):
                kept.append(text)
                size += len(text)
                if size >= _PIECE:
                    yield b"".join(kept)
                    kept, size = [], 0
            if self._done:
                break
            if not chunk:
                if kept:
                    yield b"".join(kept)
                    kept, size = [], 0
                yield b""
        self._end()
        if kept:
            yield b"".join(kept)

    def _feed(self, data: bytes) -> Iterator[bytes]:
        while data and not self._done:
            if self._between:
                data = self._next_member(data)
            else:
                data = yield from self._inside(data)

    def _inside(self, data: bytes) -> Generator[bytes, None, bytes]:
        """Yield the text of the current member; return the data after its end."""
        member = self._member
        for start in range(0, len(data), STEP):
            try:
                text = member.decompress(data[start : start + STEP], _PIECE)
                while text:
                    yield text
                    text = b"" if member.eof or member.needs_input else member.decompress(b"", _PIECE)
            except (EOFError, OSError, ValueError, self._error) as error:
                self._done = True
                self.cut = f"the {self._kind.name} stream is damaged ({error})"
                return b""
            if member.eof:
                self._between = True
                return member.unused_data + data[start + STEP :]
        return b""

    def _next_member(self, data: bytes) -> bytes:
        """Skip padding; return the data of the next member, or nothing if none begins yet."""
        rest = data if self._head else data.lstrip(b"\0")
        self._padding += len(data) - len(rest)
        self._head += rest
        if len(self._head) < _LONGEST_MAGIC:
            self._done = self._padding > _MOST_PADDING
            return b""
        if self._kind.magic.match(self._head) is None:
            self._done = True
            return b""
        head, self._head = self._head, b""
        (self._member, self._error), self._between, self._padding = self._kind.make(), False, 0
        return head

    def _end(self) -> None:
        """Determine how the data ends."""
        name = self._kind.name
        if not self._between:
            self.cut = self.cut or f"the {name} stream ends in the middle"
        elif self._head and self._kind.magic.match(self._head) is not None:
            self.cut = f"the {name} stream ends at the beginning of a member"
        elif self._head:
            self.ignored = f"the data after the end of the {name} stream is not {name} and was not read"
        elif self._padding:
            self.ignored = f"{self._padding:,} zero bytes after the end of the {name} stream were skipped"
