"""Follows a trace that is still being written, as `tail -f` does."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from tracediag.reading.sources import IDLE, Progress, Source, open_source


class Followed:
    """A file that grows: read to its end, and on as more is appended, until `stop` is called."""

    is_file = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Take a path; the file may still be empty. Raises `UnreadableError` where it cannot be opened."""
        self.name = os.fspath(path)
        self._path = path
        self._stopped = False
        self._open: Source | None = None

    def stop(self) -> None:
        """Take the file as complete: what is there is still read. May be called from a signal handler."""
        self._stopped = True

    @property
    def damage(self) -> str | None:
        """What of the file could not be read."""
        return None if self._open is None else self._open.damage

    def pieces(self, progress: Progress | None = None) -> Iterator[str]:
        """Yield the text in order, and empty pieces while nothing is appended."""
        while not self._stopped and os.stat(self._path).st_size == 0:  # noqa: PTH116
            time.sleep(IDLE)
            yield ""
        self._open = source = open_source(self._path, growing=self._wait)
        yield from source.pieces(progress)

    def _wait(self) -> bool:
        """Wait for more; return whether to go on trying."""
        if self._stopped:
            return False
        time.sleep(IDLE)
        return True

    def close(self) -> None:
        """Close the file."""
        if self._open is not None:
            self._open.close()
