"""Count calls, errors and times, as strace -c does.

Each TRACE is the output of strace, plain or compressed; "-" is standard input; the prefix of an -ff set stands for
all its files. Several traces are added up to one table; --each shows one table for each.

Times are those that strace -T records: without it there are no columns of times. Percentiles are at most 0.5 % off.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from tracediag.commands.errors import ExitCode
from tracediag.commands.output import look_of, say, write
from tracediag.commands.parser import CommonOptions
from tracediag.commands.progress import progress_of

if TYPE_CHECKING:
    from tracediag.overviews import View
    from tracediag.results.tables import Summary

BY = ("call", "error", "process", "file", "peer")
SORT = ("time", "calls", "errors", "name", "mean", "max", "p50", "p95", "p99")
_LONG = 40
"""So many rows are shown, without --limit, of what there can be thousands of."""


class Options(CommonOptions, kw_only=True):
    """What `tracediag summary` takes."""

    traces: list[str]
    by: Literal["call", "error", "process", "file", "peer"] = "call"
    sort: Literal["time", "calls", "errors", "name", "mean", "max", "p50", "p95", "p99"] | None = None
    limit: int | None = None
    each: bool = False
    format: Literal["full", "json"] = "full"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("traces", metavar="TRACE", nargs="+", help='a trace; "-" for standard input')
    parser.add_argument("--by", choices=BY, default=BY[0], help="what makes a row (default: call)")
    parser.add_argument("--sort", choices=SORT, help="(default: time where the trace has times, else calls)")
    parser.add_argument(
        "--limit",
        type=_limit,
        metavar="N",
        help=f"show so many rows, 0 for all (default: {_LONG} processes, files or peers in a table, else all)",
    )
    parser.add_argument("--each", action="store_true", help="one table for each trace, instead of their sum")
    parser.add_argument("--format", choices=("full", "json"), default="full", help="of the table (default: full)")


def _limit(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def run(options: Options) -> int:
    """Read the traces; one that cannot be read does not keep the others from being counted."""
    groups = [[trace] for trace in options.traces] if options.each else [options.traces]
    return max(_table(group, options) for group in groups)


def _table(traces: Sequence[str], options: Options) -> ExitCode:
    """Write the table of some traces together."""
    from tracediag.overviews import view_by
    from tracediag.reading import UnreadableError

    view, code = view_by(options.by), ExitCode.CLEAN
    for trace in traces:
        try:
            with progress_of(trace) as progress:
                view.read(trace, progress)
        except UnreadableError as error:
            say(str(error))
            code = ExitCode.UNREADABLE
    if view.sources:
        _publish(view, options)
    return code


def _publish(view: View, options: Options) -> None:
    from tracediag.report.summary_table import document, table

    summary = view.summary(options.sort, _rows(options))
    if options.format == "json":
        write(document(summary))
    else:
        look = look_of(sys.stdout, options.color)
        if options.each:
            write(f"{_name(summary)}\n")
        write(table(summary, look))
    for line in _said(summary, options):
        say(line)


def _rows(options: Options) -> int | None:
    if options.limit is not None:
        return options.limit or None
    return _LONG if options.format == "full" and options.by in ("process", "file", "peer") else None


def _name(summary: Summary) -> str:
    from tracediag.report.visible import visible

    return visible(summary.sources[0].path)


def _said(summary: Summary, options: Options) -> list[str]:
    """Return what is to be known about the traces beside the table."""
    lines = []
    for source in summary.sources:
        lost = f", {source.not_understood:,} not understood" if source.not_understood else ""
        lines.append(f"{source.path}: {source.lines:,} lines{lost}, {source.calls:,} calls")
    if options.sort not in (None, "calls", "errors", "name") and not summary.timed:
        lines.append(f"sorted by calls: there is no {options.sort} without strace -T")
    return lines
