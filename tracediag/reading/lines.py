"""Cuts the bytes of a trace into large pieces of whole lines.

Lines end at a line feed, a carriage return before it included. A carriage return alone ends a line only where a
record of strace follows: programs move the cursor with it, and their output may stand in the trace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

LONGEST = 1 << 22
"""A line is kept up to this many bytes, and from there to its end only the last chunk."""
ENDLESS = 1 << 28
"""A line of so many bytes is taken to have no end: it comes from a device, or is no text."""

_LONE_END = re.compile(
    rb"\r(?=(?:\[pid ++[0-9]++\] |[0-9]++ ++)?(?:[0-9][0-9:.]*+ )?"
    rb"(?:[a-z_][a-z_0-9]*+\(|<\.\.\. [a-z]|\+\+\+ |--- SIG))"
)
"""A carriage return, and the beginning of a record after it."""


class WholeLines:
    """The lines of one source; iterate over them once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        """Take the bytes; an empty chunk says that nothing more has come for a moment."""
        self._chunks = chunks
        self._lone = False
        """Whether lines that end at a carriage return alone were seen."""
        self.count = 0
        """Lines given out so far."""
        self.shortened = 0
        """The first line that was longer than `LONGEST`; 0 where there is none."""
        self.endless = False
        """Whether the reading stopped at a line of more than `ENDLESS` bytes."""

    def __iter__(self) -> Iterator[bytes]:
        """Yield pieces that end with a line feed, but perhaps the last; an empty one for an empty chunk."""
        kept: list[bytes] = []
        size = 0
        for data in self._with_line_feeds():
            cut = data.rfind(b"\n") + 1
            if not cut:
                if not data:
                    yield b""
                if size < LONGEST:
                    kept.append(data)
                size += len(data)
                if size > ENDLESS:
                    self.endless = True
                    break
                continue
            if size > LONGEST:
                self.shortened = self.shortened or self.count + 1
            piece = b"".join((*kept, data[:cut]))
            self.count += piece.count(b"\n")
            yield piece
            kept, size = [data[cut:]], len(data) - cut
        if size:
            self.count += 1
            yield b"".join(kept)

    def _with_line_feeds(self) -> Iterator[bytes]:
        """Yield the chunks with a line feed at the end of each line."""
        held = b""  # a carriage return at the end of a chunk, until the next one shows what it is
        for chunk in self._chunks:
            if not chunk:
                yield b""
                continue
            data = held + chunk
            held = b""
            if b"\r" in data:
                if data.endswith(b"\r"):
                    data, held = data[:-1], b"\r"
                if self._lone or _LONE_END.search(data) is not None:
                    self._lone = True
                    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            if data:
                yield data
        if held:
            yield b"\n" if self._lone else held
