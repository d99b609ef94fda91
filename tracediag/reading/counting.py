"""Raw bytes from the disk or a pipe, counted."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
from typing import BinaryIO, cast


class Counting(io.RawIOBase):
    """A raw stream that knows how many bytes were taken from it."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._most: int | None = None
        self.consumed = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def fileno(self) -> int:
        """Return the descriptor; raise OSError where there is none, as of bytes in memory."""
        return self._raw.fileno()

    def is_pipe(self) -> bool:
        """Whether more may come later: a pipe, a socket or a terminal, but no file on a disk."""
        try:
            return not stat.S_ISREG(os.fstat(self.fileno()).st_mode)
        except (OSError, ValueError):
            return False  # bytes in memory

    def stop_at_end(self) -> None:
        """Read a file as long as it is now: a log may grow faster than it can be read."""
        with contextlib.suppress(OSError, ValueError):
            found = os.fstat(self.fileno())
            if stat.S_ISREG(found.st_mode) and found.st_size:  # 0 in /proc, where it means nothing
                self._most = max(0, found.st_size - self._raw.tell())

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer as far as there is something to read; return how many bytes came."""
        size = len(buffer) if self._most is None else min(len(buffer), self._most - self.consumed)
        data = self._raw.read(size) or b""
        buffer[: len(data)] = data
        self.consumed += len(data)
        return len(data)

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if not self.closed and self._raw is not standard_input():
            self._raw.close()
        super().close()


def standard_input() -> BinaryIO:
    """Return standard input without its buffer, which would wait for more than is there."""
    return cast("BinaryIO", getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))
