"""Raw bytes from a disk or a pipe, counted, and waited for where the descriptor is in non-blocking mode."""

from __future__ import annotations

import contextlib
import io
import os
import select
import stat
import sys
from typing import BinaryIO, cast


class RawStream(io.RawIOBase):
    """An open file that knows how many bytes were taken from it."""

    def __init__(self, raw: BinaryIO, *, keep_open: bool = False) -> None:
        """Take an open file; `keep_open` leaves it open when this stream is closed."""
        self._raw = raw
        self._keep_open = keep_open
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
        """Fill the buffer as far as there is something to read; return how many bytes came, 0 at the end."""
        size = len(buffer) if self._most is None else min(len(buffer), self._most - self.consumed)
        # None is EAGAIN: the pipe is in non-blocking mode, into which any of its users can put it.
        while (data := cast("bytes | None", self._raw.read(size))) is None:
            self.wait()
        buffer[: len(data)] = data
        self.consumed += len(data)
        return len(data)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until there is something to read, or the end; return False after so many seconds without."""
        poll = select.poll()  # select(2) refuses descriptors from 1024 on
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    def close(self) -> None:
        """Close the file, unless it is to be kept open."""
        if not self.closed and not self._keep_open:
            self._raw.close()
        super().close()


def standard_input() -> BinaryIO:
    """Return standard input without its buffer, which would wait for more than is there. Raises OSError if closed."""
    if sys.stdin is None:
        raise OSError("standard input is closed")
    return cast("BinaryIO", getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))
