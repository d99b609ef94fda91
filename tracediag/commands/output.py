"""Standard output and standard error: what the device can show, and what happens when nobody reads on."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

from tracediag.report import Look
from tracediag.report.visible import visible


def look_of(stream: TextIO, color: str) -> Look:
    """Return what the stream can show, as the user, the environment and the device say, in that order."""
    terminal = stream.isatty()
    if color == "auto":
        colour = not os.environ.get("NO_COLOR") and (
            bool(os.environ.get("FORCE_COLOR")) or (terminal and os.environ.get("TERM") != "dumb")
        )
    else:
        colour = color == "always"
    width = shutil.get_terminal_size().columns if terminal else None
    return Look(colour=colour, width=width, ascii_only=not _has_lines(stream))


def _has_lines(stream: TextIO) -> bool:
    try:
        "└─·×…".encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def say(message: str) -> None:
    """Write one line to standard error, in our name; a trace's control bytes in it are made visible."""
    sys.stderr.write(f"tracediag: {visible(message)}\n")
    sys.stderr.flush()


def write(text: str) -> None:
    """Write to standard output. When its reader has left, the rest is thrown away, but the work goes on."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        silence()


def finish() -> None:
    """Write out what is still buffered, so that the interpreter does not complain of a closed pipe at its end."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence()


def silence() -> None:
    """Let standard output go nowhere from now on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
