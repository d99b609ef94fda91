"""Calls on sockets but for the transfer of data: bind(2), listen(2), connect(2), shutdown(2), setsockopt(2)."""

from __future__ import annotations

import msgspec

from tracediag.kernel.action import Action
from tracediag.kernel.calls.subject import as_socket, subject
from tracediag.kernel.handlers import handles
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
    """The socket has a local address."""
    socket = _socket(action, call)
    if socket is not None and action.descriptor is not None and call.result == 0:
        socket.local = format_address(call.arg(1)) or socket.local
        action.kernel.endpoints.meet(action.descriptor.file)


@handles("connect", "getpeername")
def connect(action: Action, call: Syscall) -> None:
    """The socket has a peer; EINPROGRESS is on the way to one."""
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
    """The socket becomes a listener."""
    socket = _socket(action, call)
    if socket is not None and call.result == 0:
        socket.listening = call
        socket.accepting = True


@handles("shutdown")
def shutdown(action: Action, call: Syscall) -> None:
    """One side of the connection, or both, is ended by the program itself."""
    socket = _socket(action, call)
    if socket is not None and call.result == 0 and socket.shut is None:
        socket.shut = call


@handles("setsockopt")
def setsockopt(action: Action, call: Syscall) -> None:
    """An option is set."""
    socket = _socket(action, call)
    value = call.arg(3)
    if socket is not None and call.result == 0 and value is not None:
        for name in names_of(call.arg(2)):
            socket.options[name] = value


@handles("getsockopt")
def getsockopt(action: Action, call: Syscall) -> None:
    """An option is read: counts as attention given to the descriptor; SO_ERROR may tell how a connect has failed."""
    _socket(action, call)
    error = socket_error(call)
    if error is not None:
        if action.descriptor is not None:
            action.kernel.endpoints.forget(action.descriptor.file)
        action.process.failures.append(msgspec.structs.replace(call, errno=error))
