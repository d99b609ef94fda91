"""Whether there is a command to run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

from tracediag.recording.errors import RecordingError


def check_command(command: Sequence[str]) -> None:
    """Raise `RecordingError` where a command cannot be run: strace would say less."""
    __tracebackhide__ = True  # of pytest: a test sees its own line
    name = command[0]
    if shutil.which(name) is not None:
        return
    if "/" in name and os.path.isdir(name):  # noqa: PTH112 - Path.is_dir raises where a name is too long
        raise RecordingError(f"{name}: a directory, not a command")
    if "/" in name and os.path.exists(name):  # noqa: PTH110
        raise RecordingError(f"{name}: not executable")
    raise RecordingError(f"{name}: no such command" if name else "the name of the command is empty")
