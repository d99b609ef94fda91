"""Standard output and standard error: what the device can show, and how write errors are handled.

If a reader closes the pipe (`| head`), the rest is dropped silently and the work continues. A full device is a
failure: it is reported, the work continues for the sake of other reports, and the exit code is 2.
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
"""Columns: a terminal width outside these bounds is assumed to be wrong."""
_USUAL = 80


class _Standard:
    """The state of standard output."""

    full = False
    """Whether any output to it was lost."""


def look_of(stream: TextIO, color: str) -> Look:
    """Return what the stream can show: by option, environment and device, in that order."""
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
    """Return the width of a terminal: COLUMNS if plausible, else the device's own."""
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
    """Make all three standard streams usable, even if the caller closed some, and for any text.

    The number of a closed stream would be reused for the next file opened: a trace, or a report.
    """
    _Standard.full = False
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, _null_stream(number, mode))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _null_stream(number: int, mode: str) -> TextIO:
    """Return the null device as a stream, with that descriptor number if it is free."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        os.fstat(number)
    except OSError:
        os.dup2(nowhere, number)
        os.close(nowhere)
        nowhere = number
    return cast("TextIO", open(nowhere, mode, encoding="utf-8", closefd=False))


def say(message: str) -> None:
    """Write one line to standard error, prefixed with the program's name; a trace's control bytes are made visible."""
    write_error(f"tracediag: {visible(message)}\n")


def write_error(text: str) -> None:
    """Write to standard error as far as possible: there is nowhere to report its failure."""
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
        _drop(error)


def finish() -> bool:
    """Flush standard output; return whether all of it was written or its reader closed the pipe.

    If data remains in the buffer, the interpreter exits with a code of its own.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        _drop(error)
    write_error("")
    return not _Standard.full


def _drop(error: OSError) -> None:
    """Drop standard output from now on; report the reason, unless the reader closed the pipe."""
    _silence(sys.stdout)
    if not isinstance(error, BrokenPipeError):
        _Standard.full = True
        say(f"standard output: {error.strerror}")


def _silence(stream: TextIO) -> None:
    """Redirect buffered and later output of the stream to the null device."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.flush()
