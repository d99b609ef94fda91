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
from tracediag.recording.owned import Owned


def created(path: Path) -> BinaryIO:
    """Create the file of a trace, or empty the one that is there."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(path.stat().st_mode):
            raise RecordingError(f"{path}: not a regular file: the trace is read back while it grows")
    return path.open("w+b", buffering=0)


def start_relay(source: IO[bytes], file: IO[bytes]) -> tuple[subprocess.Popen[bytes], Owned]:
    """Start the process that writes the file, in a session of its own, where no terminal reaches it.

    Return it, and where the number of the error can be read that the file met; reading does not block.
    """
    reading, writing = os.pipe()
    error = Owned(reading)
    os.set_blocking(reading, False)
    try:
        process = subprocess.Popen(
            [sys.executable, "-IS", relay.__file__],
            stdin=source,
            stdout=file,
            stderr=writing,
            start_new_session=True,
        )
    except BaseException:
        error.close()
        raise
    finally:
        os.close(writing)
    return process, error
