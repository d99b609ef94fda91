"""Which process holds the other end of a connection, socketpair or pipe, and what it did, if it is traced."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.waiters import blocked_in
from tracediag.kernel import Kernel
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.process import Process
from tracediag.kernel.socket import Socket
from tracediag.kernel.table import DescriptorTable
from tracediag.results.findings import Step, step
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.records import Exit

Closing = Syscall | Begun | Exit
"""What closes a description: a close, an execve, an exit."""


class Server(msgspec.Struct, frozen=True):
    """The peer that owes an answer."""

    peer: str
    """Its address, or "the peer"."""
    process: Process | None = None
    """The traced process that holds the other end, or listens on the address."""
    doing: str = ""
    """What that process is doing, as the rest of a sentence."""


def server_of(kernel: Kernel, file: OpenFile, asker: Process) -> Server:
    """Return the peer that owes an answer on a descriptor, with its process if that is traced.

    The process holds the other end, or listens on the address and has not accepted the connection yet.
    """
    socket = file.socket
    peer = "the peer" if socket is None or socket.peer is None or socket.peer.isdecimal() else socket.peer
    for process in holders_of(file.other):
        if process is not asker:
            return Server(peer, process, f"the server is {_doing(process) or 'still connected'}")
    if file.other is None:
        for process in kernel.processes:
            if process is not asker and process.exit is None and _listens(process.table, socket):
                blocked = _doing(process)
                accepted = "the server has not accepted the connection"
                return Server(peer, process, f"{accepted} and is {blocked}" if blocked else accepted)
    return Server(peer)


def holders_of(file: OpenFile | None) -> Iterator[Process]:
    """Yield the live processes that hold a description, as far as the trace shows."""
    if file is not None:
        for table in dict.fromkeys(_tables(file)):
            yield from (process for process in table.users if process.exit is None)


def departure(kernel: Kernel, file: OpenFile, call: Syscall) -> Step | None:
    """Return the step that closed the other end of a description before a call failed because of it: `departed`."""
    found = departed(kernel, file, call)
    return None if found is None else step(*found)


def departed(kernel: Kernel, file: OpenFile, call: Syscall) -> tuple[Closing, str] | None:
    """Return what closed the other end of a description before a call failed because of it, and that in words.

    None where the trace does not show both ends, or where a process outside the trace may hold the other one.
    """
    other = file.other
    event = None if other is None else _closed(kernel, other) or _closing(other)
    if other is None or event is None or event.line > max(call.line, call.end_line):
        return None
    what = "what must be the other end" if file.socket is not None and file.socket.guessed else "the other end"
    unread = ", with unread data" if call.errno == "ECONNRESET" and _unread(other.socket, file.socket) else ""
    return event, f"{_actor(kernel, event, call)} {_how(event, what)}{unread}"


def _doing(process: Process) -> str:
    standing = next((call for thread in process.threads if (call := blocked_in(thread)) is not None), None)
    return "" if standing is None else f"blocked in {standing.name}"


def _listens(table: DescriptorTable, socket: Socket | None) -> bool:
    if socket is None or socket.peer is None:
        return False
    files = [held.file for held in table.open.values()]
    files += [inherited[0] for _, inherited in table.inherited.items()]
    sockets = [file.socket for file in files if file.socket is not None and file.socket.accepting]
    return any(held.local == socket.peer for held in sockets)


def _tables(file: OpenFile) -> list[DescriptorTable]:
    return [*(holder.table for holder in file.holders if holder.table.seen), *file.heir_tables]


def _closed(kernel: Kernel, file: OpenFile) -> Closing | None:
    """Return what closed a description; for an exit the call, since strace reports the exit only later."""
    event = kernel.closed(file)
    if isinstance(event, Exit):
        leaving = (process.leaving for process in kernel.processes if process.exit is event)
        return next(leaving, None) or event
    return event if isinstance(event, Syscall) else None


def _closing(file: OpenFile) -> Closing | None:
    """Return what is just closing a description: a close or an exit may return only after the peer's error."""
    if file.inherited or file.sent is not None:
        return None
    signs: list[Closing | None] = [holder.closing for holder in file.holders if holder.table.seen]
    signs += [None for _ in file.heirs or ()]
    if all(sign is None for sign in signs):
        signs = [process.leaving for process in holders_of(file)]
    known = [sign for sign in signs if sign is not None]
    return max(known, key=lambda sign: sign.line) if known and len(known) == len(signs) else None


def _unread(peer: Socket | None, own: Socket | None) -> bool:
    """Whether the peer has read nothing since the last write from this side."""
    if peer is None or own is None or own.last_write is None:
        return False
    return peer.last_read is None or max(peer.last_read.line, peer.last_read.end_line) < own.last_write.line


def _actor(kernel: Kernel, event: Closing, call: Syscall) -> str:
    thread, own = kernel.process_table.threads.get(event.pid), kernel.process_table.threads.get(call.pid)
    if event.pid == call.pid or (thread is not None and own is not None and thread.process is own.process):
        return "the process itself"
    process = None if thread is None else thread.process.pid
    return f"process {process or event.pid}"


def _how(event: Closing, what: str) -> str:
    if isinstance(event, Exit) or event.name == "exit_group":
        return f"exits, which closes {what}"
    if event.name.startswith("execve"):
        return f"executes another program, which closes {what}"
    return f"closes {what}"
