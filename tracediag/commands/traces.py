"""The traces that a command reads."""

from __future__ import annotations

import argparse
import os
import stat

from tracediag.commands.errors import UsageError


def add_traces(parser: argparse.ArgumentParser) -> None:
    """Declare the traces."""
    parser.add_argument(
        "traces", metavar="TRACE", nargs="*", help='a trace; "-" is standard input, and may be omitted after a pipe'
    )


def traces_of(named: list[str]) -> list[str]:
    """Return the traces named, or standard input if it is a pipe or file. Raises `UsageError`."""
    if named:
        return named
    if _is_piped():
        return ["-"]
    raise UsageError("no TRACE given, and standard input is not a pipe or file; see --help")


def _is_piped() -> bool:
    """Whether standard input provides data: a terminal would wait for the user, and the null device is empty."""
    mode = os.fstat(0).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)
