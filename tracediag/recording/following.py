"""The file of a trace, read while it grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

_PIECE = 1 << 15
_PAUSE = 0.02
"""Seconds between two looks at a file that does not grow."""
_LONGEST = 1 << 22
"""A line is kept up to this many bytes; what follows on it is dropped, so that memory stays bounded."""


class Growing:
    """A trace that is still being written, as a source of text for a reader."""

    is_file = False

    def __init__(self, stream: BinaryIO, name: str, written: Callable[[], bool]) -> None:
        """Take an open file; `written` is called before each look at it, and returns whether it is complete."""
        self.name = name
        self.damage: str | None = None
        """What of the trace is missing, in one sentence; to be set by whatever learns of it."""
        self._stream = stream
        self._written = written

    def pieces(self, progress: Callable[[int], None] | None = None) -> Iterator[str]:
        """Yield the text in pieces of whole lines, each with its line feed, until the file is complete."""
        consumed, rest, complete = 0, b"", False
        while not complete:
            complete = self._written()  # asked before reading: what was written last must not be missed
            while data := self._stream.read(_PIECE):
                consumed += len(data)
                if progress is not None:
                    progress(consumed)
                lines, feed, last = data.rpartition(b"\n")
                if feed:
                    yield _text(rest + lines + feed)
                    rest = last
                else:
                    rest = (rest + last)[:_LONGEST]
                self._written()  # for what it does, however far behind the reading is
            if not complete:
                time.sleep(_PAUSE)
        if rest:
            yield _text(rest + b"\n")

    def wait(self) -> None:
        """Return when the file is complete, without reading it."""
        while not self._written():
            time.sleep(_PAUSE)

    def close(self) -> None:
        """Nothing is held open."""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
