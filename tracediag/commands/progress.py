"""A progress bar on standard error for long traces; only on a terminal."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tracediag.commands.output import look_of

_WORTH_A_BAR = 8 << 20
"""Files shorter than this, in bytes, are read too quickly for a bar."""
_HEIGHT = 25
"""Lines of a terminal: one bar needs few, and rich would ask the environment."""


@contextlib.contextmanager
def progress_of(path: str, *, quiet: bool = False) -> Iterator[Callable[[int], None] | None]:
    """Yield the function to call with the number of bytes read so far; None if no bar is wanted."""
    size = 0 if quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb" else _size(path)
    if size < _WORTH_A_BAR:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True, width=look_of(sys.stderr, "auto").width, height=_HEIGHT)
    with Progress(BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("reading", total=size)
        yield lambda consumed: bar.update(task, completed=consumed)


@contextlib.contextmanager
def progress_of_many(traces: int, *, quiet: bool = False) -> Iterator[Callable[[], None]]:
    """Yield the function to call when a trace is done; it moves a bar where standard error is a terminal."""
    if quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True, width=look_of(sys.stderr, "auto").width, height=_HEIGHT)
    # Refreshed by us: a thread of the bar must not live while processes are started.
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task("traces", total=traces)
        yield lambda: bar.update(task, advance=1, refresh=True)


def _size(path: str) -> int:
    """Return the size of a regular file, and 0 for anything else."""
    with contextlib.suppress(OSError, ValueError):
        status = os.fstat(0) if path == "-" else Path(path).stat()
        return status.st_size if stat.S_ISREG(status.st_mode) else 0
    return 0
