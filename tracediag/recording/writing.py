"""The file of a trace, and the process that writes it: see `relay`."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import IO, BinaryIO

from tracediag.recording import relay
from tracediag.recording.errors import RecordingError


def created(path: Path) -> BinaryIO:
    """Create the file of a trace, or empty the one that is there."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(path.stat().st_mode):
            raise RecordingError(f"{path}: not a regular file: the trace is read back while it grows")
    return path.open("w+b", buffering=0)


def start_relay(source: IO[bytes], file: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the process that writes the file; in a session of its own, where no terminal reaches it."""
    process = subprocess.Popen(
        [sys.executable, "-IS", relay.__file__],
        stdin=source,
        stdout=file,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stderr is not None
    os.set_blocking(process.stderr.fileno(), False)
    return process
