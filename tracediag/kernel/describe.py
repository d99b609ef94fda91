"""Names the objects of the model as an engineer would: "fd 5 = TCP 127.0.0.1:80 <- 127.0.0.1:4242"."""

from __future__ import annotations

from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.socket import Socket

_NOUNS = {
    Kind.SOCKET: "socket",
    Kind.EPOLL: "epoll set",
    Kind.FILE: "file",
    Kind.DEVICE: "device",
    Kind.EVENTFD: "eventfd",
    Kind.TIMERFD: "timerfd",
    Kind.SIGNALFD: "signalfd",
    Kind.INOTIFY: "inotify",
    Kind.FANOTIFY: "fanotify",
    Kind.PIDFD: "pidfd",
    Kind.MEMFD: "memfd",
    Kind.IO_URING: "io_uring",
}


def describe(descriptor: Descriptor) -> str:
    """Return the number and what it refers to, as far as known."""
    what = describe_file(descriptor.file)
    return f"fd {descriptor.number} = {what}" if what else f"fd {descriptor.number}"


def name(descriptor: Descriptor) -> str:
    """Return the name for a title: "fd 5 (TCP 127.0.0.1:80 <- 127.0.0.1:4242)", "fd 3 (pipe, read end)"."""
    what = describe_file(descriptor.file)
    if what is not None and descriptor.file.pipe is not None:
        what = what.replace(" (", ", ").rstrip(")")
    return f"fd {descriptor.number} ({what})" if what else f"fd {descriptor.number}"


def describe_file(file: OpenFile) -> str | None:
    """Return what a description refers to, or None if unknown."""
    if file.socket is not None:
        return _socket(file.socket)
    if file.path is not None:
        return file.path
    if file.pipe is not None and file.pipe.writing is not None:
        return f"pipe ({'write' if file.pipe.writing else 'read'} end)"
    if file.kind is Kind.PIPE:
        return "pipe"
    return _NOUNS.get(file.kind)


def _socket(socket: Socket) -> str:
    kind = _protocol(socket)
    if socket.accepting:
        return f"{kind} listener {socket.local}" if socket.local else f"{kind} listener"
    ends = (socket.local, socket.peer)
    pair = _pair(ends, "->" if socket.accepted is None else "<-")
    return f"{kind} {pair or 'socket'}" if pair or kind != "socket" else kind


def _pair(ends: tuple[str | None, str | None], arrow: str) -> str:
    local, peer = ends
    if peer is None:
        return local or ""
    return f"{local} {arrow} {peer}" if local else f"{arrow} {peer}"


def _protocol(socket: Socket) -> str:
    if socket.protocol:
        return socket.protocol
    if socket.family in ("AF_INET", "AF_INET6", None) and socket.stream:
        return "TCP" if socket.family or socket.peer else "stream"
    if socket.family in ("AF_INET", "AF_INET6") and socket.type == "SOCK_DGRAM":
        return "UDP"
    return (socket.family or "").removeprefix("AF_").removeprefix("PF_") or "socket"
