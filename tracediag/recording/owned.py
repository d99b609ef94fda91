"""Descriptors of this process that other code in it may close."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Self


class Owned:
    """A descriptor, known by what it refers to: code that closes all descriptors closes it, too.

    A test may do that, in whose process strace is attached; its number may then belong to another file, which is not
    touched.
    """

    def __init__(self, number: int) -> None:
        """Own an open descriptor."""
        self._number: int | None = number
        self._file = _file_of(number)

    def fileno(self) -> int:
        """Return the number. Raises `OSError` if it was closed."""
        if self._number is None or _file_of(self._number) != self._file:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._number

    def close(self) -> None:
        """Close it, unless it was closed; may be repeated, wherever a signal breaks off the first."""
        with contextlib.suppress(OSError):
            os.close(self.fileno())
        self._number = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _file_of(number: int) -> tuple[int, int]:
    status = os.fstat(number)
    return status.st_dev, status.st_ino
