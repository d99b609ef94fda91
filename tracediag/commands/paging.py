"""A pager for text longer than a screen, if both input and output are a terminal."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys

from tracediag.commands.output import write

_PAGER = "less -R"
_LESS = "FRX"
"""Options for less if LESS is not set: exit after a short page (F), pass colours (R), keep the screen (X)."""


def page_out(text: str, *, wanted: bool = True) -> None:
    """Show text through $PAGER on a terminal; elsewhere write it to standard output."""
    command = _command() if wanted and sys.stdin.isatty() and sys.stdout.isatty() else None
    if command is None or not _shown(command, text):
        write(text)


def _command() -> list[str] | None:
    """Return the pager with its arguments; None if none is wanted or found."""
    with contextlib.suppress(ValueError):  # an unclosed quote
        command = shlex.split(os.environ.get("PAGER", _PAGER))
        if command and command[0] != "cat" and shutil.which(command[0]):
            return command
    return None


def _shown(command: list[str], text: str) -> bool:
    """Run the pager; return whether it could be run."""
    sys.stdout.flush()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the pager, which handles it itself
    try:
        subprocess.run(
            command,
            input=text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"),
            env=os.environ | {"LESS": os.environ.get("LESS", _LESS)},
            check=False,
        )
    except OSError:
        return False
    finally:
        signal.signal(signal.SIGINT, before)
    return True
