"""Reads a small file of the user's, which may be anything: huge, a FIFO, a device, a loop of links."""

from __future__ import annotations

import os
import stat


def read_bounded(path: str | os.PathLike[str], most: int) -> bytes:
    """Return the bytes of a regular file.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is no regular file, or has more than so many bytes; the message says which.
    """
    # O_NONBLOCK: opening a FIFO must not wait for a writer.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise ValueError("not a regular file")
        found = stream.read(most + 1) or b""  # None where a file such as /proc/kmsg has nothing yet
    if len(found) > most:
        raise ValueError(f"more than {most:,} bytes")
    return found
