"""By peer, what a trace shows of each connection: made, refused, bytes each way, and what was asked first."""

from __future__ import annotations

import re
from collections import OrderedDict

import msgspec

from tracediag.evidence.dns import answers, decode
from tracediag.evidence.names import program_name
from tracediag.evidence.requests import request_of
from tracediag.kernel import Action, Kernel, apply, begun_calls
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.socket import Socket, format_address
from tracediag.overviews.counting.view import Progress
from tracediag.overviews.data import chunk_of
from tracediag.overviews.peers.rows import Key, PeerRow, PeerRows
from tracediag.overviews.sources import kernel_of, source_of
from tracediag.reading import AnySource, Reader
from tracediag.results.following import Chunk
from tracediag.results.peers import Peers
from tracediag.snapshot import Snapshot
from tracediag.trace.calls import (
    ACCEPTS,
    CLOSES,
    CONTROLS,
    EXECS,
    EXITS,
    FORKS,
    MAKERS,
    READS,
    SENDFILES,
    SOCKET_LOOKS,
    SOCKET_SETUP,
    SOCKET_TRANSFERS,
    WRITES,
)
from tracediag.trace.errnos import socket_error
from tracediag.trace.events import Syscall

_TRANSFERS = READS | WRITES | SENDFILES
_CALLS: frozenset[str] = frozenset[str]().union(
    *(_TRANSFERS, SOCKET_SETUP, SOCKET_LOOKS, MAKERS, CLOSES, CONTROLS, FORKS, EXITS, EXECS)
)
"""What moves data, and what creates and ends processes, descriptors and connections."""
_NO_SOCKET = re.compile(r"[0-9]{1,10}+<(?>/|pipe:|anon_inode:|char |block )").match
_NORMAL = frozenset({"EAGAIN", "EWOULDBLOCK", "EINPROGRESS", "EALREADY", "EISCONN", "EINTR"})
"""Errors that end no connection: connect(2), recv(2). So do the ERESTART codes of the kernel."""
_KEPT = 1 << 16
_TRIES = 4
"""Messages of a connection in which a request is looked for: the first ones may be a greeting."""


class _Connection(msgspec.Struct, eq=False, gc=False):
    """One socket and its peer."""

    row: PeerRow
    tries: int = 0


class _PeerBuilder:
    """Builds the rows of one trace."""

    def __init__(self, kernel: Kernel) -> None:
        self.rows = PeerRows()
        self._kernel = kernel
        self._connections: OrderedDict[OpenFile, _Connection] = OrderedDict()

    def read(self, reader: Reader) -> None:
        """Process all events of a trace."""
        kernel = self._kernel
        for event in reader:
            action = apply(kernel, event)
            if isinstance(event, Syscall) and event.returned:
                if event.name in _TRANSFERS:
                    self._transfer(action, event)
                elif event.name == "connect":
                    self._connect(action, event)
                elif event.name in ACCEPTS:
                    self._accept(action, event)
                elif event.name == "getsockopt":
                    self._learn_error(action, event)
            for descriptor in action.released:
                if descriptor.file.socket is not None and descriptor.file.gone:
                    self._connections.pop(descriptor.file, None)

    def _keep(self, file: OpenFile, row: PeerRow) -> _Connection:
        if len(self._connections) >= _KEPT:
            self._connections.popitem(last=False)
        found = self._connections[file] = _Connection(row)
        return found

    def _connect(self, action: Action, call: Syscall) -> None:
        address = format_address(call.arg(1))
        if address is None:
            return
        row = self.rows.get((address, None, False), call.line)
        row.count(call, _program(action))
        if call.errno is not None and call.errno not in _NORMAL and not call.interrupted:
            row.fail(call.errno)
            return
        held = action.descriptor
        if held is None:
            row.connections += 1
            return
        known = self._connections.get(held.file)
        if known is None or known.row is not row:
            row.connections += 1
            self._keep(held.file, row)

    def _accept(self, action: Action, call: Syscall) -> None:
        if call.result is None or call.result < 0:
            return
        listener = None if action.descriptor is None else action.descriptor.file.socket
        opened = action.opened[0].file if action.opened else None
        address = format_address(call.arg(1))
        if address is None and opened is not None and opened.socket is not None:
            address = opened.socket.peer
        local = None if listener is None else listener.local
        row = self.rows.get((_host(address), local, True), call.line)
        row.count(call, _program(action))
        row.connections += 1
        if opened is not None:
            self._keep(opened, row)

    def _learn_error(self, action: Action, call: Syscall) -> None:
        """Count an error of a connect that was reported later: the connection was not made."""
        errno = socket_error(call)
        known = None if action.descriptor is None else self._connections.get(action.descriptor.file)
        if errno is None or known is None:
            return
        known.row.fail(errno)
        if known.row.connections and not known.row.key[2]:
            known.row.connections -= 1

    def _transfer(self, action: Action, call: Syscall) -> None:
        if _NO_SOCKET(call.body) is not None and call.name not in SOCKET_TRANSFERS:
            return
        held = action.descriptor if call.name not in SENDFILES else _first(action, call)
        socket = None if held is None else held.file.socket
        if socket is None or held is None:
            return
        chunk = chunk_of(call, moved_to=True if call.name in SENDFILES else None)
        connection = self._connection(held.file, socket, chunk, call)
        if connection is None:
            return
        row = connection.row
        row.count(call, _program(action))
        if call.errno is not None:
            if call.errno not in _NORMAL and not call.interrupted:
                row.fail(call.errno)
        elif chunk is not None:
            self._moved(connection, chunk)

    def _moved(self, connection: _Connection, chunk: Chunk) -> None:
        row = connection.row
        if chunk.written:
            row.sent += chunk.length
        else:
            row.received += chunk.length
            self._learn_names(chunk)
        asks = chunk.written is not row.key[2]
        if asks and connection.tries < _TRIES:
            connection.tries += 1
            piece = chunk.pieces[0]
            request = request_of(piece.data, shortened=bool(chunk.missing)) if chunk.pieces else None
            if request is not None:
                row.ask(request)
                connection.tries = connection.tries if request.startswith("PostgreSQL") else _TRIES

    def _learn_names(self, chunk: Chunk) -> None:
        for piece in chunk.pieces:
            found = decode(piece.data) if len(piece.data) > _SHORTEST else None
            if found is not None and found.response:
                for address in answers(piece.data):
                    self.rows.name(address, found.name)

    def _connection(self, file: OpenFile, socket: Socket, chunk: Chunk | None, call: Syscall) -> _Connection | None:
        """Return the connection of a transfer; None if the trace does not show the peer."""
        if chunk is not None and chunk.address is not None and not socket.stream:
            return _Connection(self._datagram(socket, chunk, chunk.address, call))
        known = self._connections.get(file)
        if known is not None:
            return known
        if socket.peer is None or socket.peer.isdecimal():
            return None
        row = self.rows.get(_key_of(socket, socket.peer), call.line)
        row.connections += 1
        return self._keep(file, row)

    def _datagram(self, socket: Socket, chunk: Chunk, address: str, call: Syscall) -> PeerRow:
        """Return the row of a datagram; its sender is a client if the program has not addressed it before."""
        addressed: Key = (address, None, False)
        client: Key = (_host(address), socket.local, True)
        if not self.rows.known(addressed) and (not chunk.written or self.rows.known(client)):
            return self.rows.get(client, call.line)
        return self.rows.get(addressed, call.line)


_SHORTEST = 28
"""Bytes that the shortest DNS answer with an address exceeds."""


def _first(action: Action, call: Syscall) -> Descriptor | None:
    number = call.number(0)
    return None if number is None else action.thread.process.table.get(number)


def _program(action: Action) -> str:
    return program_name(action.thread.process.program) or ""


def _key_of(socket: Socket, peer: str) -> Key:
    client = socket.accepted is not None
    return (_host(peer), socket.local, True) if client else (peer, None, False)


def _host(address: str | None) -> str:
    """Return a client's address without its port, as each connection has another; "" for an unnamed socket."""
    if address is None or address.isdecimal():
        return ""
    host, colon, port = address.rpartition(":")
    return host if colon and port.isdecimal() else address


def list_peers(trace: AnySource, progress: Progress | None = None, known: Snapshot | None = None) -> Peers:
    """Read a trace, given as for `Reader`, and return what it shows of each peer. Raises `UnreadableError`."""
    builder = _PeerBuilder(kernel_of(trace, known))
    reader = Reader(trace, calls=_CALLS, begun=begun_calls() & _CALLS, failures=False, progress=progress)
    builder.read(reader)
    return Peers(
        source=source_of(trace, reader),
        peers=builder.rows.finish(),
        left_out=builder.rows.left_out,
    )
