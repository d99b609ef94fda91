"""Raw bytes from a file or a pipe; counts them, and waits for more if the descriptor is non-blocking."""

from __future__ import annotations

import contextlib
import io
import os
import select
import stat
import sys
from typing import BinaryIO, cast


class RawStream(io.RawIOBase):
    """An open file that counts the bytes read from it."""

    def __init__(self, raw: BinaryIO, *, keep_open: bool = False) -> None:
        """Wrap an open file; `keep_open` leaves it open when this stream is closed."""
        self._raw = raw
        self._keep_open = keep_open
        self._most: int | None = None
        self.consumed = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the descriptor; raises OSError if there is none, as for bytes in memory."""
        return self._raw.fileno()

    def is_pipe(self) -> bool:
        """Whether more may come later: a pipe, socket or terminal, not a regular file."""
        try:
            return not stat.S_ISREG(os.fstat(self.fileno()).st_mode)
        except (OSError, ValueError):
            return False  # bytes in memory

    def stop_at_end(self) -> None:
        """Limit a file to its present length: a log may grow faster than it is read."""
        with contextlib.suppress(OSError, ValueError):
            found = os.fstat(self.fileno())
            if stat.S_ISREG(found.st_mode) and found.st_size:  # 0 in /proc, where it has no meaning
                self._most = max(0, found.st_size - self._raw.tell())

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read into the buffer; return the number of bytes, 0 at the end."""
        size = len(buffer) if self._most is None else min(len(buffer), self._most - self.consumed)
        # None is EAGAIN: any process that shares the pipe can make it non-blocking.
        while (data := cast("bytes | None", self._raw.read(size))) is None:
            self.wait()
        buffer[: len(data)] = data
        self.consumed += len(data)
        return len(data)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until there is data or the end; return False after `timeout` seconds without either."""
        poll = select.poll()  # select(2) rejects descriptors from 1024 on
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    def close(self) -> None:
        """Close the file, unless `keep_open` was given."""
        if not self.closed and not self._keep_open:
            self._raw.close()
        super().close()


def standard_input() -> BinaryIO:
    """Return standard input without a buffer, which would wait for more than is there. Raises OSError if closed."""
    if sys.stdin is None:
        raise OSError("standard input is closed")
    return cast("BinaryIO", getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))
