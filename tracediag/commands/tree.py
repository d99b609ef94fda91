"""Show the processes: parents and children, what each ran, how it ended.

Each TRACE is the output of strace, plain or compressed; "-" is standard input, and may be omitted after a pipe. The
prefix of the files of `strace -ff` stands for all of them. Each process has a line: its pid, its command line, its
start and duration if the trace has times (-ttt), its number of calls, and its exit status or the signal that killed it,
with the sender.
"""

from __future__ import annotations

import argparse
import sys
from typing import Literal

from tracediag.commands.errors import ExitCode
from tracediag.commands.output import look_of, say, write
from tracediag.commands.parser import CommonOptions
from tracediag.commands.progress import progress_of
from tracediag.commands.reports import Destination, ReportFiles, add_report
from tracediag.commands.traces import add_traces, traces_of
from tracediag.report import Look


class Options(CommonOptions, kw_only=True):
    """What `tracediag tree` takes."""

    traces: list[str]
    threads: bool = False
    format: Literal["full", "json"] = "full"
    report: tuple[Destination, ...] = ()


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_traces(parser)
    parser.add_argument(
        "--threads", action="store_true", help="print a line per thread instead of the number of threads"
    )
    add_report(parser, ("full", "json"))


def run(options: Options) -> int:
    """Print the process tree of each trace; one that cannot be read does not prevent the others."""
    from tracediag.reading import UnreadableError

    code = ExitCode.CLEAN
    traces = traces_of(options.traces)
    with ReportFiles(options.report, traces) as files:
        for trace in traces:
            try:
                _show(trace, options, files, titled=len(traces) > 1)
            except UnreadableError as error:
                say(str(error))
                code = ExitCode.UNREADABLE
    return code


def _show(trace: str, options: Options, files: ReportFiles, *, titled: bool) -> None:
    from tracediag.overviews.descent import grow_tree
    from tracediag.report.tree import document, picture
    from tracediag.report.visible import visible

    def rendered(form: str, look: Look) -> str:
        if form == "json":
            return document(tree)
        return (f"{visible(trace)}\n" if titled else "") + picture(tree, look, threads=options.threads)

    with progress_of(trace, quiet=options.quiet) as progress:
        tree = grow_tree(trace, progress)
    write(rendered(options.format, look_of(sys.stdout, options.color)))
    files.write(lambda name: [rendered(name, Look())])
    source = tree.source
    if source.damage is not None:
        say(f"{trace}: {source.damage}")
    lost = f" ({source.not_understood:,} not understood)" if source.not_understood else ""
    options.tell(f"{trace}: {source.lines:,} lines, {source.calls:,} calls{lost}")
