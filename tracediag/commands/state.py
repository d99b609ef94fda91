"""Show where each thread was at a line, and what was open, registered, locked and mapped.

    tracediag state server.strace:1324
    tracediag state server.strace

For each process that was alive after that line: where its threads stood, its descriptors with the line that created
each, its epoll sets, locks, memory and children. Without :LINE, at the end of the trace or, if all processes have
ended, before the last one did. "-" is standard input.
"""

from __future__ import annotations

import argparse
import sys
from typing import Literal

from tracediag.commands.errors import UsageError
from tracediag.commands.numbers import number
from tracediag.commands.output import look_of, say, write
from tracediag.commands.parser import CommonOptions
from tracediag.commands.places import split_place
from tracediag.commands.progress import progress_of
from tracediag.commands.reports import Destination, ReportFiles, add_report
from tracediag.commands.traces import traces_of
from tracediag.report import Look

_ROWS = 50


class Options(CommonOptions, kw_only=True):
    """What `tracediag state` takes."""

    place: str | None = None
    pid: int | None = None
    limit: int = _ROWS
    format: Literal["full", "json"] = "full"
    report: tuple[Destination, ...] = ()


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("place", metavar="TRACE[:LINE]", nargs="?", help="a trace, and the line after which to look")
    parser.add_argument("-p", "--pid", type=number, metavar="PID", help="only this process")
    parser.add_argument(
        "-n", "--limit", type=number, metavar="N", default=_ROWS, help=f"rows of each list; 0: all (default: {_ROWS})"
    )
    add_report(parser, ("full", "json"))


def run(options: Options) -> int:
    """Print the state."""
    from tracediag.overviews.state.moment import NoSuchLineError, take_state
    from tracediag.report.state import document, picture

    trace, line = (traces_of([])[0], None) if options.place is None else split_place(options.place)

    def rendered(form: str, look: Look) -> str:
        return document(state) if form == "json" else picture(state, look, max(options.limit, 0))

    with ReportFiles(options.report, [trace]) as files:
        try:
            with progress_of(trace, quiet=options.quiet) as progress:
                state = take_state(trace, line, progress)
        except NoSuchLineError as error:
            raise UsageError(str(error)) from None
        if options.pid is not None:
            state = state.only(options.pid)
            if not state.processes:
                raise UsageError(f"{trace}: no process {options.pid} was alive after line {state.line:,}")
        write(rendered(options.format, look_of(sys.stdout, options.color)))
        files.write(lambda name: [rendered(name, Look())])
    if state.damage is not None:
        say(f"{trace}: {state.damage}")
    options.tell(f"{trace}: the state after line {state.line:,}")
    return 0
