"""List the peers: connections, failures, bytes each way, times, and what was asked first.

    tracediag peers server.strace
    tracediag peers --failed client.strace

One row an address or unix path, with its name where a DNS answer in the trace shows it. Clients that a server accepted
are one row a host. What was asked is shown where the recorded bytes tell it: an HTTP request, the server name of TLS,
a Redis command, the verb of SQL, a DNS question; record with `-s 512` for more. `summary --by peer` counts the calls.
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
    """What `tracediag peers` takes."""

    traces: list[str]
    failed: bool = False
    limit: int = _ROWS
    format: Literal["full", "json"] = "full"
    report: tuple[Destination, ...] = ()


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_traces(parser)
    parser.add_argument("--failed", action="store_true", help="only peers with failed calls")
    parser.add_argument(
        "-n", "--limit", type=int, metavar="N", default=_ROWS, help=f"rows of each list; 0: all (default: {_ROWS})"
    )
    add_report(parser, ("full", "json"))


def run(options: Options) -> int:
    """Print the peers of each trace; one that cannot be read does not prevent the others."""
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
    import msgspec

    from tracediag.overviews.peers import list_peers
    from tracediag.report.peers import document, picture
    from tracediag.report.visible import visible
    from tracediag.trace.quantities import plural

    def rendered(form: str, look: Look) -> Iterable[str]:
        if form == "json":
            return document(found)
        return [(f"{visible(trace)}\n" if titled else "") + picture(found, look, limit=max(options.limit, 0))]

    with progress_of(trace, quiet=options.quiet) as progress:
        found = everything = list_peers(trace, progress)
    if options.failed:
        failed = tuple(peer for peer in everything.peers if peer.errors)
        found = msgspec.structs.replace(everything, peers=failed)
    for piece in rendered(options.format, look_of(sys.stdout, options.color)):
        write(piece)
    files.write(lambda name: rendered(name, Look()))
    source = found.source
    if source.damage is not None:
        say(f"{trace}: {source.damage}")
    lost = f" ({source.not_understood:,} not understood)" if source.not_understood else ""
    options.tell(
        f"{trace}: {source.lines:,} lines, {source.calls:,} calls{lost}, {plural(len(everything.peers), 'peer')}"
    )
