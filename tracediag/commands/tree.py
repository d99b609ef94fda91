"""Show the processes: who made whom, what each ran, how it ended.

TRACE is the output of strace, plain or compressed; "-" is standard input; the prefix of an -ff set stands for all
its files. Each process has a line: its pid, its command line, when it began and how long it ran where the trace has
times (-ttt), its calls, and its exit status or the signal that killed it, with the sender.
"""

from __future__ import annotations

import argparse
import sys
from typing import Literal

from tracediag.commands.errors import ExitCode
from tracediag.commands.output import look_of, say, write
from tracediag.commands.parser import CommonOptions
from tracediag.commands.progress import progress_of


class Options(CommonOptions, kw_only=True):
    """What `tracediag tree` takes."""

    traces: list[str]
    threads: bool = False
    format: Literal["full", "json"] = "full"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("traces", metavar="TRACE", nargs="+", help='a trace; "-" for standard input')
    parser.add_argument("--threads", action="store_true", help="a line for each thread, instead of their count")
    parser.add_argument("--format", choices=("full", "json"), default="full", help="of the tree (default: full)")


def run(options: Options) -> int:
    """Show the trees of the traces one after the other; one that cannot be read does not keep the others from it."""
    from tracediag.reading import UnreadableError

    code = ExitCode.CLEAN
    for trace in options.traces:
        try:
            _show(trace, options)
        except UnreadableError as error:
            say(str(error))
            code = ExitCode.UNREADABLE
    return code


def _show(trace: str, options: Options) -> None:
    from tracediag.overviews.descent import grow_tree
    from tracediag.report.tree import document, picture
    from tracediag.report.visible import visible

    with progress_of(trace) as progress:
        tree = grow_tree(trace, progress)
    if options.format == "json":
        write(document(tree))
        return
    if len(options.traces) > 1:
        write(f"{visible(trace)}\n")
    write(picture(tree, look_of(sys.stdout, options.color), threads=options.threads))
    source = tree.source
    lost = f" ({source.not_understood:,} not understood)" if source.not_understood else ""
    say(f"{trace}: {source.lines:,} lines, {source.calls:,} calls{lost}")
