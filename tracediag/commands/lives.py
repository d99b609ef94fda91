"""Show how connections, children and opened files live: equal lives are counted, rare ones stand out.

    tracediag lives server.strace
    tracediag lives --of connections server.strace

Each life is folded to its steps: the kinds of calls, with the error of those that failed; loops stand once. Where most
objects of a kind live alike, the rare ones come next, those with an error first, each with its first line; `tracediag
follow` shows that one.
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

_ROWS = 12


class Options(CommonOptions, kw_only=True):
    """What `tracediag lives` takes."""

    traces: list[str]
    of: Literal["connections", "files", "children"] | None = None
    limit: int = _ROWS
    format: Literal["full", "json"] = "full"
    report: tuple[Destination, ...] = ()


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_traces(parser)
    parser.add_argument("--of", choices=("connections", "files", "children"), help="only these (default: all)")
    parser.add_argument(
        "-n", "--limit", type=int, metavar="N", default=_ROWS, help=f"rows of each list; 0: all (default: {_ROWS})"
    )
    add_report(parser, ("full", "json"))


def run(options: Options) -> int:
    """Print the lives of each trace; one that cannot be read does not prevent the others."""
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
    from tracediag.overviews.lives import fold_lives
    from tracediag.report.lives import document, picture
    from tracediag.report.visible import visible
    from tracediag.results.lives import KINDS

    def rendered(form: str, look: Look) -> str:
        if form == "json":
            return document(lives)
        return (f"{visible(trace)}\n" if titled else "") + picture(lives, look, max(options.limit, 0))

    with progress_of(trace, quiet=options.quiet) as progress:
        lives = fold_lives(trace, KINDS if options.of is None else (options.of,), progress)
    write(rendered(options.format, look_of(sys.stdout, options.color)))
    files.write(lambda name: [rendered(name, Look())])
    source = lives.source
    if source.damage is not None:
        say(f"{trace}: {source.damage}")
    lost = f" ({source.not_understood:,} not understood)" if source.not_understood else ""
    options.tell(f"{trace}: {source.lines:,} lines, {source.calls:,} calls{lost}")
