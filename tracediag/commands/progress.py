"""A bar on standard error while a long trace is read; only on a terminal."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

_WORTH_A_BAR = 8 << 20
"""Shorter files, in bytes, are read before a bar could be understood."""


@contextlib.contextmanager
def progress_of(path: str) -> Iterator[Callable[[int], None] | None]:
    """Yield what to call with the number of bytes read so far; None where no bar is wanted."""
    size = _size(path)
    if size < _WORTH_A_BAR or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    with Progress(
        BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task("reading", total=size)
        yield lambda consumed: bar.update(task, completed=consumed)


def _size(path: str) -> int:
    """Return the size of a regular file, and 0 for anything else."""
    with contextlib.suppress(OSError, ValueError):
        status = os.fstat(sys.stdin.fileno()) if path == "-" else Path(path).stat()
        return status.st_size if stat.S_ISREG(status.st_mode) else 0
    return 0
