"""Where a trace comes from: a file, a pipe or lines in memory; plain or compressed.

A source yields pieces of text, each of complete lines: the bytes are decoded in large pieces, because a Python call
per line would cost more than everything else done with most lines. Bytes that are not UTF-8 become surrogates. A pipe
that is silent for a moment yields an empty piece, so that what has been read can be processed.
More sources: `following`, `sets`.
"""

from __future__ import annotations

import codecs
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import BinaryIO, Protocol, cast, runtime_checkable

from tracediag.errors import TracediagError
from tracediag.reading.compressed import Decompressed, compression_of
from tracediag.reading.lines import ENDLESS, LONGEST, WholeLines
from tracediag.reading.rawstream import RawStream, standard_input

Progress = Callable[[int], None]
"""Called with the number of bytes consumed so far; of a compressed file: compressed bytes."""

PIECE = 1 << 15
"""Bytes processed per step: small enough for the resulting objects to fit into the CPU cache."""
LINES = 2048
IDLE = 0.2
"""Seconds after which a silent pipe counts as idle."""
_MIB = 1 << 20

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


_TEXT = re.compile(r"\n|\) ++= |\w\([^\s(,]*+, ")
"""Marks the text of a trace, as opposed to a path: more than one line, or a call."""
_SHOWN = 40
"""How many characters of such a text the message shows."""


class UnreadableError(TracediagError, OSError):
    """The source cannot be read as a trace; the message names it and gives the reason."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


@runtime_checkable
class Source(Protocol):
    """Any object that yields a trace in pieces of complete lines."""

    name: str
    is_file: bool
    """Whether this is one file of its own; then it is an error if it holds no trace at all."""

    @property
    def damage(self) -> str | None:
        """What part of the source could not be read, in one sentence; complete when all pieces have been yielded."""
        ...

    def pieces(self, progress: Progress | None = None) -> Iterator[str]:
        """Yield the text in order; every line of every piece ends with a line feed. Raises `UnreadableError`.

        An empty piece means that no more data has arrived for a moment.
        """
        ...

    def close(self) -> None:
        """Release what the source holds open."""
        ...


class Lines:
    """Lines that are already in memory, or that an iterable yields."""

    damage = None

    def __init__(self, lines: Iterable[str], name: str = "<lines>") -> None:
        """Take text; anything that has no lines of text raises `TypeError`, here or while it is read."""
        if isinstance(lines, bytes | bytearray | memoryview) or not isinstance(lines, Iterable):
            raise TypeError(f"a trace is a path or lines of text, not {type(lines).__name__}")
        self.name = name
        self.is_file = False
        self._lines = iter(lines)

    def pieces(self, progress: Progress | None = None) -> Iterator[str]:
        """Yield the lines in order; progress counts characters."""
        consumed = 0
        while batch := list(islice(self._lines, LINES)):
            for kind in set(map(type, batch)):  # cheaper than to ask each line
                if not issubclass(kind, str):
                    raise TypeError(f"a line of a trace is text, not {kind.__name__}")
            if progress is not None:
                consumed += sum(map(len, batch))
                progress(consumed)
            yield "".join([line.rstrip("\r\n") + "\n" for line in batch])

    def close(self) -> None:
        """Do nothing: no resource is held."""


class Stream:
    """A file or a pipe, decompressed if its first bytes show a known compression."""

    is_file = True

    def __init__(
        self, name: str, raw: BinaryIO, growing: Callable[[], bool] | None = None, *, keep_open: bool = False
    ) -> None:
        """Take an open file; `growing` waits for more at its end, and returns whether to try again."""
        self.name = name
        self._growing = growing
        self._raw = RawStream(raw, keep_open=keep_open)
        if growing is None:
            self._raw.stop_at_end()
        self._buffered = io.BufferedReader(self._raw, PIECE)
        head = self._peek()
        if not head:
            self._buffered.close()
            raise UnreadableError(name, EMPTY)
        self.binary = False
        self._failure: str | None = None
        kind = compression_of(head)
        self._decompressed = None if kind is None else Decompressed(kind, self._chunks())
        self._lines = WholeLines(self._decoded(head))

    def _peek(self) -> bytes:
        try:
            return self._buffered.peek(8)[:8]
        except OSError as error:
            self._buffered.close()
            raise UnreadableError(self.name, _reason(error)) from error

    @property
    def damage(self) -> str | None:
        """What part of the file could not be read."""
        unpacked = self._decompressed
        cut = self._failure or (None if unpacked is None else unpacked.cut)
        if self._lines.endless:
            cut = f"a line of more than {ENDLESS // _MIB:,} MiB has no end"
        said = [] if cut is None else [f"{cut}; read up to line {self._lines.count:,}"]
        if self._lines.shortened:
            said.append(f"line {self._lines.shortened:,} was shortened to {LONGEST // _MIB:,} MiB")
        if unpacked is not None and unpacked.ignored is not None:
            said.append(unpacked.ignored)
        return "; ".join(said) or None

    def pieces(self, progress: Progress | None = None) -> Iterator[str]:
        """Yield the text in order."""
        try:
            first = True
            for data in self._lines:
                if progress is not None:
                    progress(self._raw.consumed)
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

    def _decoded(self, head: bytes) -> Iterator[bytes]:
        """Yield the bytes of the text, decompressed, in UTF-8."""
        chunks = self._decompressed or self._chunks()
        if not head.startswith(_WIDE):
            yield from chunks
            return
        decode = codecs.getincrementaldecoder("utf-16")("replace").decode
        for chunk in chunks:
            yield decode(chunk).encode()

    def _chunks(self) -> Iterator[bytes]:
        """Yield the bytes as stored on disk, and an empty chunk while a pipe is idle."""
        is_pipe = self._raw.is_pipe()
        try:
            while (data := self._buffered.read1(PIECE)) or (self._growing is not None and self._growing()):
                yield data
                if is_pipe and not self._raw.wait(IDLE):
                    yield b""
        except OSError as error:
            self._failure = f"reading fails: {_reason(error)}"

    def close(self) -> None:
        """Close the file, unless it is standard input."""
        self._buffered.close()


EMPTY = "the file is empty"


def open_source(path: str | os.PathLike[str], growing: Callable[[], bool] | None = None) -> Stream:
    """Open a trace by its path; `-` is standard input; `growing` as for `Stream`. Raises `UnreadableError`."""
    name = os.fspath(path)
    if not name:
        raise UnreadableError("''", "the name of the trace is empty")
    try:
        if name == "-":
            return Stream("<stdin>", standard_input(), keep_open=True)
        raw = open(name, "rb", buffering=0)  # noqa: SIM115, PTH123
    except UnreadableError:
        raise
    except (OSError, ValueError) as error:
        if _TEXT.search(name):
            reason = "this is text, not a path; pass its lines: text.splitlines()"
            raise UnreadableError(repr(name[:_SHOWN]), reason) from error
        raise UnreadableError("<stdin>" if name == "-" else name, _reason(error)) from error
    return Stream(name, cast("BinaryIO", raw), growing)


def _reason(error: Exception) -> str:
    if isinstance(error, IsADirectoryError):
        return "this is a directory, not a trace"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return str(error) or type(error).__name__
