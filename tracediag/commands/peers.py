"""List the peers: connections, failures, bytes each way, times, and what was asked first.

    tracediag peers server.strace
    tracediag peers --failed client.strace

One row an address or unix path, with its name where a DNS answer in the trace shows it. Clients that a server accepted
are one row a host. What was asked is shown where the recorded bytes tell it: an HTTP request, the server name of TLS,
a Redis command, the verb of SQL, a DNS question; record with `-s 512` for more. `summary --by peer` counts the calls.
"""

from __future__ import annotations

import argparse

from tracediag.commands import answers
from tracediag.commands.reports import add_report
from tracediag.commands.traces import add_traces

_ROWS = 40


class Options(answers.Options, kw_only=True):
    """What `tracediag peers` takes."""

    failed: bool = False
    limit: int = _ROWS


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_traces(parser)
    parser.add_argument("--failed", action="store_true", help="only peers with failed calls")
    answers.add_rows(parser, _ROWS)
    add_report(parser, ("full", "json"))


def run(options: Options) -> int:
    """Print the peers of each trace."""
    import msgspec

    from tracediag.overviews.peers.listing import list_peers
    from tracediag.report.peers import document, picture
    from tracediag.trace.quantities import plural

    def ask(trace: str, progress: answers.Progress | None) -> answers.Answer:
        everything = list_peers(trace, progress)
        chosen = tuple(peer for peer in everything.peers if peer.errors or not options.failed)
        found = msgspec.structs.replace(everything, peers=chosen)
        return answers.Answer(
            found.source,
            lambda: document(found),
            lambda look: picture(found, look, limit=max(options.limit, 0)),
            plural(len(everything.peers), "peer"),
        )

    return answers.print_answers(options, ask)
