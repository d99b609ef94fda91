"""Standard output and standard error: what the device can show, and what happens when it takes no more.

A reader that leaves (`| head`) is its own choice: the rest is dropped quietly and the work continues. A device that is
full is a failure: it is reported, the work continues for the sake of other reports, and the exit code is 2.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Mapping
from typing import TextIO, cast

from tracediag.report import Look
from tracediag.report.visible import visible

_NARROWEST, _WIDEST = 20, 1000
"""Columns: outside of these bounds a terminal's width is taken to be wrong."""
_USUAL = 80


class _Standard:
    """What has become of standard output."""

    full = False
    """Whether something that was to be written there is lost."""


def look_of(stream: TextIO, color: str) -> Look:
    """Return what the stream can show, as the user, the environment and the device say, in that order."""
    terminal = stream.isatty()
    if color == "auto":
        colour = not os.environ.get("NO_COLOR") and (
            bool(os.environ.get("FORCE_COLOR")) or (terminal and os.environ.get("TERM") != "dumb")
        )
    else:
        colour = color == "always"
    width = _columns(stream, os.environ) if terminal else None
    return Look(colour=colour, width=width, ascii_only=not _has_lines(stream))


def _columns(terminal: TextIO, environment: Mapping[str, str]) -> int:
    """Return the width of a terminal: COLUMNS where that is sensible, else what the device says."""
    said = environment.get("COLUMNS", "")
    if said.isascii() and said.isdigit() and len(said) < 6 and _NARROWEST <= int(said) <= _WIDEST:
        return int(said)
    with contextlib.suppress(OSError, ValueError):
        columns = os.get_terminal_size(terminal.fileno()).columns
        if _NARROWEST <= columns <= _WIDEST:
            return columns
    return _USUAL


def _has_lines(stream: TextIO) -> bool:
    try:
        "└─·×…".encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def open_streams() -> None:
    """Make all three standard streams usable, whatever the caller has closed and whatever text they are given.

    The number of a closed stream would go to the next file that is opened: a trace, or a report.
    """
    _Standard.full = False
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, _nowhere(number, mode))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _nowhere(number: int, mode: str) -> TextIO:
    """Return the null device as a stream, under that number if it is free."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        os.fstat(number)
    except OSError:
        os.dup2(nowhere, number)
        os.close(nowhere)
        nowhere = number
    return cast("TextIO", open(nowhere, mode, encoding="utf-8", closefd=False))


def say(message: str) -> None:
    """Write one line to standard error, in our name; a trace's control bytes in it are made visible."""
    write_error(f"tracediag: {visible(message)}\n")


def write_error(text: str) -> None:
    """Write to standard error as far as that is possible: there is no place to complain about its failure."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        _silence(sys.stderr)


def write(text: str) -> None:
    """Write to standard output."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        _lose(error)


def finish() -> bool:
    """Write out what is still buffered; return whether standard output took everything or its reader left.

    What stays in a buffer here makes the interpreter end with an exit code of its own.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        _lose(error)
    write_error("")
    return not _Standard.full


def _lose(error: OSError) -> None:
    """Drop standard output from now on; say why, unless its reader has left."""
    _silence(sys.stdout)
    if not isinstance(error, BrokenPipeError):
        _Standard.full = True
        say(f"standard output: {error.strerror}")


def _silence(stream: TextIO) -> None:
    """Let what is buffered, and all that is still written to the stream, go nowhere."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.flush()
