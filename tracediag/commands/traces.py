"""The traces that a command reads."""

from __future__ import annotations

import argparse
import os
import shlex
import stat

from tracediag.commands.distinct import distinct
from tracediag.commands.errors import UsageError
from tracediag.commands.places import check_trace, in_order, is_file


def add_traces(parser: argparse.ArgumentParser) -> None:
    """Declare the traces."""
    parser.add_argument(
        "traces", metavar="TRACE", nargs="*", help='a trace; "-" is standard input, and may be omitted after a pipe'
    )


def traces_of(named: list[str]) -> list[str]:
    """Return the traces named, each once, or standard input if it is a pipe or file. Raises `UsageError`."""
    for trace in named:
        check_trace(trace)
    if named:
        return distinct(named)
    if is_piped():
        return ["-"]
    raise UsageError("no TRACE given, and standard input is not a pipe or file; see --help")


def asked_of(command: str, name: str, asked: str, traces: list[str]) -> tuple[str, list[str]]:
    """Return the words of a question, which `name` stands for in --help, and the traces to ask. Raises `UsageError`."""
    if not traces and not is_piped() and is_file(asked):
        raise UsageError(f"{asked} is a file; the {name} is missing: tracediag {command} {name} {shlex.quote(asked)}")
    asked, traces = in_order(name, asked, traces)
    return asked, traces_of(traces)


def is_piped() -> bool:
    """Whether standard input provides data: a terminal would wait for the user, and the null device is empty."""
    mode = os.fstat(0).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)
