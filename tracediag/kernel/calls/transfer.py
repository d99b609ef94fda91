"""Calls that move data: read(2), write(2), recv(2), send(2), sendfile(2) and their like."""

from __future__ import annotations

from tracediag.events import Syscall
from tracediag.kernel.action import Action
from tracediag.kernel.calls.subject import as_pipe, as_socket, subject
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.kernel import handles
from tracediag.kernel.socket import Socket
from tracediag.values import Array, Structure, number_of

BROKEN = frozenset({"EPIPE", "ECONNRESET"})
"""The peer is gone: nothing more can be sent on this connection."""

_STDERR = 2

READS = frozenset({"read", "readv", "recv", "recvfrom", "recvmsg"})
WRITES = frozenset({"write", "writev", "send", "sendto", "sendmsg", "sendmmsg"})
SOCKET_CALLS = frozenset({"recv", "recvfrom", "recvmsg", "send", "sendto", "sendmsg", "sendmmsg", "recvmmsg"})


def asked(call: Syscall) -> int | None:
    """Return how many bytes a read or write asked for, or None where the trace does not say."""
    if call.name in ("readv", "writev"):
        return _vector(call.arg(1))
    if call.name in ("recvmsg", "sendmsg"):
        header = call.arg(1)
        return _vector(header.get("msg_iov")) if isinstance(header, Structure) else None
    return call.number(2)


def _vector(value: object) -> int | None:
    if not isinstance(value, Array) or not value.complete:
        return None
    total = 0
    for item in value.items:
        length = _length(item) if isinstance(item, Structure) else None
        if length is None:
            return None
        total += length
    return total


def _length(item: Structure) -> int | None:
    named = item.get("iov_len")
    if named is not None:
        return number_of(named)
    return number_of(item.fields[1][1]) if len(item.fields) == 2 else None


@handles("read", "readv")
def read(action: Action, call: Syscall) -> None:
    """Data of a file, a pipe or whatever it is; of a socket as in `receive`."""
    descriptor = subject(action, call)
    if descriptor is not None and (socket := descriptor.file.socket) is not None:
        _received(socket, call)


@handles("recv", "recvfrom")
def receive(action: Action, call: Syscall) -> None:
    """Data of a socket, the end of the stream, or the news that the peer is gone; recvmsg is one more: `passing`."""
    descriptor = subject(action, call)
    if descriptor is None:
        return
    if call.errno != "ENOTSOCK":
        as_socket(descriptor.file)
    if (socket := descriptor.file.socket) is not None:
        _received(socket, call)


def _received(socket: Socket, call: Syscall) -> None:
    if call.errno in BROKEN and socket.broken is None:
        socket.broken = call
    elif call.result == 0 and asked(call) != 0 and socket.stream is not False and socket.ended is None:
        socket.ended = call
    elif call.result is not None and call.result > 0:
        socket.last_read = call


@handles("write", "writev", "send", "sendto")
def transmit(action: Action, call: Syscall) -> None:
    """Data taken by the kernel, or the news that nobody can receive it; sendmsg is one more: `passing`."""
    descriptor = subject(action, call)
    if descriptor is None:
        return
    if call.name in SOCKET_CALLS and call.errno != "ENOTSOCK":
        as_socket(descriptor.file)
    if descriptor.number == _STDERR and action.process.table.open.get(_STDERR) is descriptor:
        action.process.messages.append(call)
    _wrote(descriptor, call)


@handles("sendfile", "splice", "sendfile64")
def send_file(action: Action, call: Syscall) -> None:
    """Data moved inside the kernel; the first argument of sendfile, the third of splice, is written to."""
    descriptor = subject(action, call, 2 if call.name == "splice" else 0)
    if descriptor is not None:
        _wrote(descriptor, call)


def _wrote(descriptor: Descriptor, call: Syscall) -> None:
    file = descriptor.file
    if file.socket is not None:
        if call.errno in BROKEN and file.socket.broken is None:
            file.socket.broken = call
        elif call.result is not None and call.result > 0:
            file.socket.last_write = call
    elif call.errno == "EPIPE" and file.kind is not Kind.SOCKET and file.pipe is not None:
        end = as_pipe(file, writing=True)
        end.pipe.broken = end.pipe.broken or call
