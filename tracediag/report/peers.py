"""The peers of a trace, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tracediag.report.base import Look
from tracediag.report.canvas import Canvas
from tracediag.report.document import dump_rows
from tracediag.report.grid import Column, paint_grid
from tracediag.results.peers import Peer, Peers
from tracediag.trace.quantities import plural, seconds

SCHEMA = "tracediag-peers/1"
"""The edition of the document."""

_COLUMNS = (
    Column("LINE", "place", right=True),
    Column("CONNECTIONS", right=True),
    Column("FAILED", "error"),
    Column("SENT", right=True),
    Column("RECEIVED", right=True),
    Column("SPAN", right=True),
    Column("IN CALLS", right=True),
    Column("BY", "faint"),
    Column("PEER", "name"),
    Column("ASKED FIRST"),
)
_REQUESTS = 2
_PROGRAMS = 3


def document(peers: Peers) -> Iterator[str]:
    """Yield the peers as one JSON document on one line, in pieces."""
    return dump_rows(SCHEMA, peers)


def picture(peers: Peers, look: Look, *, limit: int = 0) -> str:
    """Return the peers as text: those that the program addressed, then its clients; at most `limit` rows of each."""
    canvas = Canvas(look)
    for title, client in (("addressed by the program", False), ("clients", True)):
        held = [peer for peer in peers.peers if peer.client is client]
        if held:
            shown = held[:limit] if limit else held
            canvas.line((title, "label"), (f"   {plural(len(held), 'peer')}", "faint"))
            paint_grid(canvas, _COLUMNS, map(_row, shown), indent=2, width=look.width)
            if len(held) > len(shown):
                more = plural(len(held) - len(shown), "more row")
                canvas.line((f"  {more}: -n 0 prints all", "faint"))
            canvas.blank()
    if peers.left_out:
        canvas.line((f"{plural(peers.left_out, 'call')} on further peers: not listed", "faint"))
    if not peers.peers:
        canvas.line(("no peer", "faint"))
    return canvas.take()


def _row(peer: Peer) -> Sequence[str]:
    span = None if peer.first_time is None or peer.last_time is None else peer.last_time - peer.first_time
    return (
        f"{peer.first_line:,}",
        f"{peer.connections:,}" if peer.connections else "",
        ", ".join(_counted(peer.errors.items())),
        f"{peer.bytes_sent:,}" if peer.bytes_sent else "",
        f"{peer.bytes_received:,}" if peer.bytes_received else "",
        seconds(span) if span and span > 0 else "",
        seconds(peer.inside) if peer.inside else "",
        _programs(peer.programs),
        _named(peer),
        _asked(peer),
    )


def _named(peer: Peer) -> str:
    names = f" ({', '.join(peer.names)})" if peer.names else ""
    at = f" at {peer.local}" if peer.local is not None else ""
    return f"{peer.peer or 'unnamed'}{names}{at}"


def _counted(counts: Iterable[tuple[str, int]]) -> list[str]:
    return [f"{name} {count:,} x" if count > 1 else name for name, count in counts]


def _asked(peer: Peer) -> str:
    requests = _counted(peer.asked.items())
    others = sum(list(peer.asked.values())[_REQUESTS:]) + peer.asked_otherwise
    return ", ".join(requests[:_REQUESTS]) + (f" +{others:,}" if others else "")


def _programs(programs: Sequence[str]) -> str:
    more = len(programs) - _PROGRAMS
    return ", ".join(programs[:_PROGRAMS]) + (f" +{more}" if more > 0 else "")
