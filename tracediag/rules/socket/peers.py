"""Who is at the other end of a connection, as far as the trace follows him."""

from __future__ import annotations

from tracediag.kernel import Kernel
from tracediag.kernel.process import Process
from tracediag.kernel.socket import Socket
from tracediag.rules.socket.outcome import standing_in


def listener_of(kernel: Kernel, socket: Socket | None, asker: Process) -> tuple[str, str]:
    """Name the server that a socket is connected to, and say what it is doing if the trace follows it."""
    peer = "the peer" if socket is None or socket.peer is None else socket.peer
    for process in kernel.processes:
        if process is asker or process.exit is not None or socket is None or socket.peer is None:
            continue
        files = [held.file for held in process.table.open.values()]
        files += [file for file, _, _ in process.table.inherited.values()]
        if any(_listens(file.socket, socket.peer) for file in files):
            standing = next((call for thread in process.threads if (call := standing_in(thread)) is not None), None)
            doing = "" if standing is None else f" and stands in {standing.name}"
            return peer, f"though process {process.pid} listens there{doing}"
    return peer, ""


def _listens(socket: Socket | None, address: str) -> bool:
    return socket is not None and socket.accepting and socket.local == address
