"""Reads the memory of a process: /proc/PID/mem, proc_pid_mem(5)."""

from __future__ import annotations

import os
import struct
from types import TracebackType
from typing import Self

_LONGEST = 4096
"""Bytes of a path."""


class Memory:
    """The memory of one process, opened when it is first read; where it cannot be read, everything is empty."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._file: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None and self._file >= 0:
            os.close(self._file)

    def read(self, address: int, size: int) -> bytes:
        """Return so many bytes at an address; fewer where the mapping ends, none where nothing can be read."""
        if self._file is None:
            try:
                self._file = os.open(f"/proc/{self._pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                self._file = -1
        try:
            return os.pread(self._file, size, address) if self._file >= 0 else b""
        except (OSError, OverflowError):
            return b""

    def word(self, address: int) -> int | None:
        """Return the 32 bits at an address."""
        data = self.read(address, 4)
        return struct.unpack("I", data)[0] if len(data) == 4 else None

    def string(self, address: int) -> str:
        """Return the text at an address, to its zero byte; of one that is longer than a path, the beginning."""
        data = self.read(address, _LONGEST - address % _LONGEST)  # up to the end of the page, which can be read
        if b"\0" not in data:
            data += self.read(address + len(data), _LONGEST)
        return data.partition(b"\0")[0].decode(errors="backslashreplace")
