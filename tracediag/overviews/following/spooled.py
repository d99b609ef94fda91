"""A trace that can be read twice: a pipe is kept in a temporary file."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def spooled(trace: str) -> Iterator[str]:
    """Yield a path with the content of a trace: its own, or that of a temporary file for "-" and for a FIFO."""
    if trace != "-" and not _is_pipe(trace):
        yield trace
        return
    with tempfile.NamedTemporaryFile(prefix="tracediag-") as kept:
        if trace == "-":
            shutil.copyfileobj(sys.stdin.buffer, kept)
        else:
            with open(trace, "rb") as source:  # noqa: PTH123 - a FIFO is a path like any other
                shutil.copyfileobj(source, kept)
        kept.flush()
        yield kept.name


def _is_pipe(path: str) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)  # noqa: PTH116
    except (OSError, ValueError):
        return False
