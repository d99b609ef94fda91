"""List the files: what was read, written, created, replaced, deleted, executed, mapped, refused and not found.

    tracediag files build.strace
    tracediag files --written --under /etc install.strace
    tracediag files --not-found server.strace

One row a path, with the bytes moved and the programs that used it. Lookups of one name in several directories are one
search, with the place that won. Files of the system (shared libraries, locales, /proc) and of crowded directories
share a row; --all prints each. `summary --by file` counts and times the calls instead.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Literal

from tracediag.commands.errors import ExitCode
from tracediag.commands.output import look_of, say, write
from tracediag.commands.parser import CommonOptions
from tracediag.commands.progress import progress_of
from tracediag.commands.reports import Destination, ReportFiles, add_report
from tracediag.commands.traces import add_traces, traces_of
from tracediag.report import Look

_ROWS = 40


class Options(CommonOptions, kw_only=True):
    """What `tracediag files` takes."""

    traces: list[str]
    written: bool = False
    not_found: bool = False
    under: str | None = None
    all: bool = False
    limit: int = _ROWS
    format: Literal["full", "json"] = "full"
    report: tuple[Destination, ...] = ()


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_traces(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--written", action="store_true", help="only files that were written, created or deleted")
    which.add_argument("--not-found", action="store_true", help="only what was looked for and not found, and searches")
    parser.add_argument("--under", metavar="DIR", help="only files in this directory and below")
    parser.add_argument("--all", action="store_true", help="a row for each file, also those of the system")
    parser.add_argument(
        "-n", "--limit", type=int, metavar="N", default=_ROWS, help=f"rows of each list; 0: all (default: {_ROWS})"
    )
    add_report(parser, ("full", "json"))


def run(options: Options) -> int:
    """Print the files of each trace; one that cannot be read does not prevent the others."""
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
    from tracediag.overviews.file_selection import select_files
    from tracediag.overviews.files import list_files
    from tracediag.report.files import document, picture
    from tracediag.report.visible import visible

    def rendered(form: str, look: Look) -> Iterable[str]:
        if form == "json":
            return document(found)
        text = picture(found, look, complete=options.all, limit=max(options.limit, 0))
        return [(f"{visible(trace)}\n" if titled else "") + text]

    with progress_of(trace, quiet=options.quiet) as progress:
        everything = list_files(trace, progress)
    found = select_files(everything, written=options.written, not_found=options.not_found, under=options.under)
    for piece in rendered(options.format, look_of(sys.stdout, options.color)):
        write(piece)
    files.write(lambda name: rendered(name, Look()))
    source = found.source
    if source.damage is not None:
        say(f"{trace}: {source.damage}")
    lost = f" ({source.not_understood:,} not understood)" if source.not_understood else ""
    options.tell(f"{trace}: {source.lines:,} lines, {source.calls:,} calls{lost}, {len(everything.files):,} files")
