"""The rows of `peers` while the trace is read: one a peer, bounded in number."""

from __future__ import annotations

import msgspec

from tracediag.results.peers import Peer
from tracediag.trace.events import Syscall

MOST_PEERS = 1 << 14
_PROGRAMS = 8
_REQUESTS = 8
_NAMES = 4
_MOST_NAMES = 1 << 14
_NSCD = ("/var/run/nscd/socket", "/run/nscd/socket")
"""Every program asks the cache of names, nscd(8), which few systems run: its absence is no trouble."""

Key = tuple[str, str | None, bool]
"""The address, the own address for clients, and whether it is a client."""


class PeerRow(msgspec.Struct, eq=False, gc=False):
    """One peer."""

    key: Key
    line: int
    connections: int = 0
    sent: int = 0
    received: int = 0
    calls: int = 0
    otherwise: int = 0
    first: float | None = None
    last: float | None = None
    inside: float | None = None
    errors: dict[str, int] = msgspec.field(default_factory=dict)
    asked: dict[str, int] = msgspec.field(default_factory=dict)
    programs: tuple[str, ...] = ()

    def count(self, call: Syscall, program: str) -> None:
        """Count a call."""
        self.calls += 1
        if program and program not in self.programs and len(self.programs) < _PROGRAMS:
            self.programs = (*self.programs, program)
        if call.time is not None:
            self.first = call.time if self.first is None else self.first
            self.last = call.time if call.end_time is None else call.end_time
        if call.duration is not None:
            self.inside = (self.inside or 0.0) + call.duration

    def fail(self, errno: str) -> None:
        """Count an error."""
        self.errors[errno] = self.errors.get(errno, 0) + 1

    def ask(self, request: str) -> None:
        """Count the first request of a connection."""
        if request in self.asked or len(self.asked) < _REQUESTS:
            self.asked[request] = self.asked.get(request, 0) + 1
        else:
            self.otherwise += 1


class PeerRows:
    """All rows by their peers, and the names of addresses."""

    def __init__(self) -> None:
        self._rows: dict[Key, PeerRow] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self.left_out = 0

    def get(self, key: Key, line: int) -> PeerRow:
        """Return the row of a peer, creating it if necessary."""
        found = self._rows.get(key)
        if found is None:
            found = PeerRow(key, line)
            if len(self._rows) < MOST_PEERS:
                self._rows[key] = found
            else:
                self.left_out += 1
        return found

    def known(self, key: Key) -> bool:
        """Whether there is a row of this peer."""
        return key in self._rows

    def name(self, address: str, name: str) -> None:
        """Record that a DNS answer gives this address for the name."""
        names = self._names.get(address, ())
        if name not in names and len(names) < _NAMES and (names or len(self._names) < _MOST_NAMES):
            self._names[address] = (*names, name)

    def finish(self) -> tuple[Peer, ...]:
        """Return the rows: those with errors first, then by bytes."""
        rows = sorted(self._rows.values(), key=_order)
        return tuple(self._result(row) for row in rows if row.calls)

    def _result(self, row: PeerRow) -> Peer:
        address, local, client = row.key
        host = address if client else address.rpartition(":")[0]
        return Peer(
            peer=address,
            client=client,
            local=local,
            names=self._names.get(host.strip("[]"), ()),
            connections=row.connections,
            errors=row.errors,
            bytes_sent=row.sent,
            bytes_received=row.received,
            calls=row.calls,
            asked=dict(sorted(row.asked.items(), key=lambda item: -item[1])),
            asked_otherwise=row.otherwise,
            programs=row.programs,
            first_line=row.line,
            first_time=row.first,
            last_time=row.last,
            inside=row.inside,
        )


def _order(row: PeerRow) -> tuple[bool, bool, int, int]:
    usual = row.key[0] in _NSCD
    return usual, not row.errors, -(row.sent + row.received), row.line
