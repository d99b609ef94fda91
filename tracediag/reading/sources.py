"""Where a trace comes from: a file, a pipe or lines already in memory; plain or compressed.

A source hands out pieces of text, each of whole lines: the bytes are decoded a large piece at a time, because a
Python call for every line would cost more than all that is done with most of them. Lines end at a line feed alone;
bytes that are no UTF-8 survive as surrogates. A pipe that says nothing for a moment gives an empty piece, so that
whoever looks ahead can go on with what there is. More sources: `following`, `sets`.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import re
import select
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import BinaryIO, Protocol, cast, runtime_checkable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from tracediag.errors import TracediagError
from tracediag.reading.counting import Counting, standard_input

Progress = Callable[[int], None]
"""Told the number of bytes consumed so far; compressed bytes where the file is compressed."""

PIECE = 1 << 15
"""So many bytes are worked on at a time: what comes of them still fits into a processor's cache."""
LINES = 2048
IDLE = 0.2
"""Seconds after which a pipe that says nothing counts as idle."""
LONGEST = 1 << 22
"""A line is kept up to this many bytes; what follows on it is dropped."""

_MAGIC: tuple[tuple[bytes, Callable[[BinaryIO], object]], ...] = (
    (b"\x1f\x8b", lambda raw: gzip.GzipFile(fileobj=raw)),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
    (b"BZh", bz2.BZ2File),
    (b"\x28\xb5\x2f\xfd", zstd.ZstdFile),
)
_DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, zstd.ZstdError, OSError)
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


_TEXT = re.compile(r"\n|\) ++= |\w\([^\s(,]*+, ")
"""What the text of a trace has, and hardly any path: more than one line, or a call."""
_SHOWN = 40
"""Characters of such a text in the message."""


class UnreadableError(TracediagError, OSError):
    """The source cannot be read as a trace; the message names it and says why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


@runtime_checkable
class Source(Protocol):
    """Anything that hands out a trace in pieces of whole lines."""

    name: str
    is_file: bool
    """Whether this is a file of its own, which is an error when it holds no trace at all."""

    def pieces(self, progress: Progress | None = None) -> Iterator[str]:
        """Yield the text in order; every line of every piece ends with a line feed. Raises `UnreadableError`.

        An empty piece says that nothing more has come for a moment.
        """
        ...

    def close(self) -> None:
        """Give back what the source holds open."""
        ...


class Lines:
    """Lines that are in memory already, or that something else yields."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.name = "<lines>"
        self.is_file = False
        self._lines = iter(lines)

    def pieces(self, progress: Progress | None = None) -> Iterator[str]:
        """Yield the lines in order; progress counts characters."""
        consumed = 0
        while batch := list(islice(self._lines, LINES)):
            if progress is not None:
                consumed += sum(map(len, batch))
                progress(consumed)
            yield "".join([line.rstrip("\r\n") + "\n" for line in batch])

    def close(self) -> None:
        """Nothing is held open."""


class Stream:
    """A file or a pipe, decompressed where its first bytes say so."""

    is_file = True

    def __init__(self, name: str, raw: BinaryIO, growing: Callable[[], bool] | None = None) -> None:
        """Take an open file; `growing` waits for more at its end, and says whether to go on trying."""
        self.name = name
        self._growing = growing
        self._counting = Counting(raw)
        if growing is None:
            self._counting.stop_at_end()
        self._buffered = io.BufferedReader(self._counting, PIECE)
        head = self._peek()
        if not head:
            self._buffered.close()
            raise UnreadableError(name, "the file is empty")
        self.binary = False
        self._wide = head.startswith(_WIDE)
        self._data = self._decompressed(head)

    def _peek(self) -> bytes:
        try:
            return self._buffered.peek(8)[:8]
        except OSError as error:
            self._buffered.close()
            raise UnreadableError(self.name, _reason(error)) from error

    def _decompressed(self, head: bytes) -> io.BufferedIOBase:
        for magic, opener in _MAGIC:
            if head.startswith(magic):
                return cast("io.BufferedIOBase", opener(cast("BinaryIO", self._buffered)))
        return self._buffered

    def pieces(self, progress: Progress | None = None) -> Iterator[str]:
        """Yield the text in order."""
        try:
            first = True
            for data in self._whole_lines():
                if progress is not None:
                    progress(self._counting.consumed)
                yield self._text(data, first=first) if data else ""
                first = first and not data
        finally:
            self.close()

    def _text(self, data: bytes, *, first: bool) -> str:
        self.binary = self.binary or b"\0" in data
        text = data.decode("utf-8", "surrogateescape")
        if first:
            text = text.removeprefix("\ufeff")
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        return text if text.endswith("\n") else text + "\n"

    def _whole_lines(self) -> Iterator[bytes]:
        """Yield the bytes in large pieces, each of whole lines; only the last may lack its end."""
        kept: list[bytes] = []
        size = 0
        for data in self._raw():
            cut = data.rfind(b"\n") + 1
            if not cut:
                if not data:
                    yield b""
                if size < LONGEST:
                    kept.append(data)
                size += len(data)
                continue
            yield b"".join((*kept, data[:cut]))
            kept, size = [data[cut:]], len(data) - cut
        if size:
            yield b"".join(kept)

    def _raw(self) -> Iterator[bytes]:
        decode = codecs.getincrementaldecoder("utf-16")("replace").decode if self._wide else None
        try:
            while (data := self._data.read1(PIECE)) or (self._growing is not None and self._growing()):
                yield data if decode is None else decode(data).encode()
                yield from self._pause()
        except _DAMAGED as error:
            raise UnreadableError(self.name, f"cannot be read to its end: {_reason(error)}") from error

    def _pause(self) -> Iterator[bytes]:
        """Yield nothing where more is there already; else wait for it, and say once that the pipe is idle."""
        if self._data is not self._buffered or not self._counting.is_pipe():
            return
        if not select.select([self._counting], [], [], IDLE)[0]:
            yield b""

    def close(self) -> None:
        """Close the file; standard input stays open."""
        self._data.close()
        self._buffered.close()


def open_source(path: str | os.PathLike[str], growing: Callable[[], bool] | None = None) -> Stream:
    """Open a trace by its path; `-` is standard input; `growing` as for `Stream`. Raises `UnreadableError`."""
    name = os.fspath(path)
    if name == "-":
        return Stream("<stdin>", standard_input())
    try:
        raw = open(name, "rb", buffering=0)  # noqa: SIM115, PTH123
    except (OSError, ValueError) as error:
        if _TEXT.search(name):
            reason = "this is text, not a path; pass its lines: text.splitlines()"
            raise UnreadableError(repr(name[:_SHOWN]), reason) from error
        raise UnreadableError(name, _reason(error)) from error
    return Stream(name, cast("BinaryIO", raw), growing)


def _reason(error: Exception) -> str:
    if isinstance(error, IsADirectoryError):
        return "this is a directory, not a trace"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return str(error) or type(error).__name__
