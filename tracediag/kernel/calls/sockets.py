"""Calls on sockets other than data transfer: bind(2), listen(2), connect(2), shutdown(2), setsockopt(2)."""

from __future__ import annotations

import msgspec

from tracediag.kernel.action import Action
from tracediag.kernel.calls.subject import subject
from tracediag.kernel.calls.transfer import BROKEN
from tracediag.kernel.handlers import handles
from tracediag.kernel.learning import as_socket
from tracediag.kernel.socket import Socket, format_address
from tracediag.trace.errnos import socket_error
from tracediag.trace.events import Syscall
from tracediag.trace.values import names_of


def _socket(action: Action, call: Syscall) -> Socket | None:
    descriptor = subject(action, call)
    if descriptor is None or call.errno == "ENOTSOCK":
        return None
    return as_socket(descriptor.file)


@handles("bind", "getsockname")
def bind(action: Action, call: Syscall) -> None:
    """Set the local address of the socket."""
    socket = _socket(action, call)
    if socket is not None and action.descriptor is not None and call.result == 0:
        socket.local = format_address(call.arg(1)) or socket.local
        action.kernel.endpoints.meet(action.descriptor.file)


@handles("connect", "getpeername")
def connect(action: Action, call: Syscall) -> None:
    """Set the peer of the socket; with EINPROGRESS the connection is still being made."""
    socket = _socket(action, call)
    if socket is None or action.descriptor is None:
        return
    if call.failed and call.errno not in ("EINPROGRESS", "EISCONN"):
        action.kernel.endpoints.forget(action.descriptor.file)
        return
    socket.peer = format_address(call.arg(1)) or socket.peer
    action.kernel.endpoints.meet(action.descriptor.file)
    if call.name == "connect":
        socket.connected = call
        action.kernel.endpoints.call(action.descriptor.file, call)


@handles("listen")
def listen(action: Action, call: Syscall) -> None:
    """Mark the socket as a listener."""
    socket = _socket(action, call)
    if socket is not None and call.result == 0:
        socket.listening = call
        socket.accepting = True


@handles("shutdown")
def shutdown(action: Action, call: Syscall) -> None:
    """Record that the program shut down one or both directions of the connection."""
    socket = _socket(action, call)
    if socket is not None and call.result == 0 and socket.shut is None:
        socket.shut = call


@handles("setsockopt")
def setsockopt(action: Action, call: Syscall) -> None:
    """Record a socket option."""
    socket = _socket(action, call)
    value = call.arg(3)
    if socket is not None and call.result == 0 and value is not None:
        for name in names_of(call.arg(2)):
            socket.options[name] = value


@handles("getsockopt")
def getsockopt(action: Action, call: Syscall) -> None:
    """Record a read of an option: it is a use of the descriptor, and SO_ERROR reports what ended the connection."""
    socket = _socket(action, call)
    error = socket_error(call)
    if error is not None:
        if action.descriptor is not None:
            action.kernel.endpoints.forget(action.descriptor.file)
        failed = msgspec.structs.replace(call, errno=error)
        action.process.failures.append(failed)
        if socket is not None and socket.broken is None and error in BROKEN:
            socket.broken = failed
