"""Cuts the bytes of a trace into large pieces of complete lines.

A line ends at a line feed, which includes a preceding carriage return. A carriage return alone ends a line only if an
strace record follows: programs move the cursor with it, and the trace may contain their output.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

LONGEST = 1 << 22
"""A line is kept up to this many bytes, and from there to its end only the last chunk."""
ENDLESS = 1 << 28
"""A line of this many bytes is assumed to be endless: the source is a device, or not text."""

_LONE_END = re.compile(
    rb"\r(?=(?:\[pid ++[0-9]++\] |[0-9]++ ++)?(?:[0-9][0-9:.]*+ )?"
    rb"(?:[a-z_][a-z_0-9]*+\(|<\.\.\. [a-z]|\+\+\+ |--- SIG))"
)
"""A carriage return, and the start of a record after it."""


_RESULT = re.compile(rb"\) += [^\r]{1,200}\r")


class WholeLines:
    """The lines of one source; iterate over them once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        """Wrap the bytes; an empty chunk means that no more data has arrived for a moment."""
        self._chunks = chunks
        self._lone = False
        """Whether any line ended at a carriage return alone."""
        self.count = 0
        """Lines yielded so far."""
        self.shortened = 0
        """The first line longer than `LONGEST`; 0 if none."""
        self.endless = False
        """Whether reading stopped at a line of more than `ENDLESS` bytes."""

    def __iter__(self) -> Iterator[bytes]:
        """Yield pieces that end with a line feed, except perhaps the last; an empty one for each empty chunk."""
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
                if self._lone or _LONE_END.search(data) is not None or _only_returns(data):
                    self._lone = True
                    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            if data:
                yield data
        if held:
            yield b"\n" if self._lone else held


def _only_returns(data: bytes) -> bool:
    """Return whether carriage returns end the lines of a text that has no line feed, after any margin."""
    return b"\n" not in data and len(_RESULT.findall(data)) > 1
