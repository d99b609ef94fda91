"""Waits for datagrams: the process that has the other socket open, where that is of this host: udp(7)."""

from __future__ import annotations

from tracediag.evidence.blocking.link import Link, listed
from tracediag.snapshot import Moment, ProcessState, SocketState, unmapped

_DNS = ":53"


def datagram_link(moment: Moment, process: ProcessState, tid: int, own: SocketState) -> Link:
    """Return the wait for a datagram: of the peer that the socket is connected to, else of any sender."""
    if not own.peer:
        return Link(tid, f"a datagram to {own.local} ({own.protocol})", None, "read")
    server = f"the DNS server {own.peer}" if own.peer.endswith(_DNS) else f"{own.peer} ({own.protocol})"
    what = f"an answer from {server}" if own.peer.endswith(_DNS) else f"a datagram from {server}"
    holders = _holders(moment, own) - {process.pid}
    if not holders:
        return Link(tid, what, None, "read")
    have = "has" if len(holders) == 1 else "have"
    blocker = next(iter(holders)) if len(holders) == 1 else None
    return Link(tid, f"{what}, which {listed(moment, holders)} {have} open on this host", blocker, "read")


def _holders(moment: Moment, own: SocketState) -> set[int]:
    """Return the processes with a socket that takes what is sent to the peer's address."""
    found = [one for one in moment.sockets if one.protocol.startswith("UDP") and one.serves(unmapped(own.peer))]
    far = moment.socket_between(own.peer, own.local)
    targets = {f"socket:[{one.inode}]" for one in [*found, *([far] if far is not None else [])]}
    return {one.pid for one in moment.holders if one.target in targets}
