"""Follows a trace that is still being written, as `tail -f` does."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from tracediag.reading.sources import IDLE, Progress, Source, open_source


class Followed:
    """A growing file, read until `stop` is called."""

    is_file = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open a file, which may still be empty. Raises `UnreadableError` if it cannot be opened."""
        self.name = os.fspath(path)
        self._path = path
        self._stopped = False
        self._open: Source | None = None

    def stop(self) -> None:
        """Treat the file as complete: the existing rest is still read. May be called from a signal handler."""
        self._stopped = True

    @property
    def damage(self) -> str | None:
        """What part of the file could not be read."""
        return None if self._open is None else self._open.damage

    def pieces(self, progress: Progress | None = None) -> Iterator[str]:
        """Yield the text in order, and empty pieces while nothing is appended."""
        while not self._stopped and os.stat(self._path).st_size == 0:  # noqa: PTH116
            time.sleep(IDLE)
            yield ""
        self._open = source = open_source(self._path, growing=self._wait)
        yield from source.pieces(progress)

    def _wait(self) -> bool:
        """Wait for more; return whether to keep reading."""
        if self._stopped:
            return False
        time.sleep(IDLE)
        return True

    def close(self) -> None:
        """Close the file."""
        if self._open is not None:
            self._open.close()
