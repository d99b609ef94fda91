"""Count calls, errors and times, as strace -c does.

Each TRACE is the output of strace, plain or compressed; "-" is standard input, and may be omitted after a pipe. The
prefix of the files of `strace -ff` stands for all of them. Several traces are added up in one table, unless --each is
given.

The columns of times need strace -T. Percentiles are accurate to 0.5 %.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from tracediag.commands.errors import ExitCode
from tracediag.commands.numbers import number
from tracediag.commands.output import look_of, say, write
from tracediag.commands.parser import CommonOptions
from tracediag.commands.progress import progress_of
from tracediag.commands.reports import Destination, ReportFiles, add_report
from tracediag.commands.traces import add_traces, traces_of
from tracediag.report import Look
from tracediag.trace.quantities import plural

if TYPE_CHECKING:
    from tracediag.overviews.counting.view import View
    from tracediag.results.tables import Summary

BY = ("call", "error", "process", "file", "peer")
SORT = ("time", "calls", "errors", "name", "mean", "max", "p50", "p95", "p99")
_LONG = 40
"""Default limit on rows of kinds that may have thousands."""


class Options(CommonOptions, kw_only=True):
    """What `tracediag summary` takes."""

    traces: list[str]
    by: Literal["call", "error", "process", "file", "peer"] = "call"
    sort: Literal["time", "calls", "errors", "name", "mean", "max", "p50", "p95", "p99"] | None = None
    limit: int | None = None
    each: bool = False
    format: Literal["full", "json"] = "full"
    report: tuple[Destination, ...] = ()


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_traces(parser)
    parser.add_argument("--by", choices=BY, default=BY[0], help="group calls by (default: call)")
    parser.add_argument(
        "--sort", choices=SORT, help="order of the rows (default: time if the trace has times, else calls)"
    )
    parser.add_argument(
        "--limit",
        type=number,
        metavar="N",
        help=f"show at most N rows, 0 for all (default: {_LONG} for processes, files and peers, else all)",
    )
    parser.add_argument("--each", action="store_true", help="print one table per trace instead of their sum")
    add_report(parser, ("full", "json"))


def run(options: Options) -> int:
    """Read the traces; one that cannot be read does not prevent the others from being counted."""
    traces = traces_of(options.traces)
    groups = [[trace] for trace in traces] if options.each else [traces]
    with ReportFiles(options.report, traces) as files:
        return max(_table(group, options, files) for group in groups)


def _table(traces: Sequence[str], options: Options, files: ReportFiles) -> ExitCode:
    """Write the combined table of some traces."""
    from tracediag.overviews import view_by
    from tracediag.reading import UnreadableError

    view, code = view_by(options.by), ExitCode.CLEAN
    for trace in traces:
        try:
            with progress_of(trace, quiet=options.quiet) as progress:
                view.read(trace, progress)
        except UnreadableError as error:
            say(str(error))
            code = ExitCode.UNREADABLE
    if view.sources:
        _publish(view, options, files)
    return code


def _publish(view: View, options: Options, files: ReportFiles) -> None:
    def summed(form: str) -> Summary:
        return view.summary(options.sort, _rows(options, form))

    summary = summed(options.format)
    write(_rendered(summary, options.format, options, look_of(sys.stdout, options.color)))
    files.write(lambda form: [_rendered(summed(form), form, options, Look())])
    for source in summary.sources:
        if source.damage is not None:
            say(f"{source.path}: {source.damage}")
    for line in _remarks(summary, options):
        options.tell(line)


def _rendered(summary: Summary, form: str, options: Options, look: Look) -> str:
    from tracediag.report.summary_table import document, table

    if form == "json":
        return document(summary)
    return (f"{_name(summary)}\n" if options.each else "") + table(summary, look)


def _rows(options: Options, form: str) -> int | None:
    if options.limit is not None:
        return options.limit or None
    return _LONG if form == "full" and options.by in ("process", "file", "peer") else None


def _name(summary: Summary) -> str:
    from tracediag.report.visible import visible

    return visible(summary.sources[0].path)


def _remarks(summary: Summary, options: Options) -> list[str]:
    """Return the remarks on the traces that accompany the table."""
    lines = []
    for source in summary.sources:
        lost = f", {source.not_understood:,} not understood" if source.not_understood else ""
        lines.append(f"{source.path}: {plural(source.lines, 'line')}{lost}, {plural(source.calls, 'call')}")
    if options.sort not in (None, "calls", "errors", "name") and not summary.timed:
        lines.append(f"sorted by calls: there is no {options.sort} without strace -T")
    return lines
