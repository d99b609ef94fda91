"""What an annotation, or a snapshot of /proc, shows of an open file description."""

from __future__ import annotations

from tracediag.kernel.descriptor import Kind, OpenFile
from tracediag.kernel.endpoints import Endpoints
from tracediag.kernel.pipe import Pipe, PipeEnd
from tracediag.kernel.socket import Socket
from tracediag.trace.annotations import Annotation

_KINDS = {
    "eventpoll": Kind.EPOLL,
    "eventfd": Kind.EVENTFD,
    "timerfd": Kind.TIMERFD,
    "signalfd": Kind.SIGNALFD,
    "inotify": Kind.INOTIFY,
    "fanotify": Kind.FANOTIFY,
    "pidfd": Kind.PIDFD,
    "io_uring": Kind.IO_URING,
}
"""Kinds by the name that `-y` gives them."""
_MEMFD = "/memfd:"


def learn(ends: Endpoints, file: OpenFile, note: Annotation) -> None:
    """Record what `-y` or `-yy` shows of a descriptor."""
    match note.kind:
        case "path":
            _become(file, Kind.MEMFD if note.path.startswith(_MEMFD) else Kind.FILE)
            file.known_path = file.path or note.path
        case "device":
            _become(file, Kind.DEVICE)
            file.known_path = file.path or note.path
        case "socket":
            _learn_socket(ends, file, as_socket(file), note)
        case "pipe":
            _become(file, Kind.PIPE)
            if file.pipe is None and note.inode is not None:
                file.pipe = PipeEnd(None, ends.pipe(note.inode))
        case kind:
            _become(file, _KINDS.get(kind, Kind.OTHER))


def _learn_socket(ends: Endpoints, file: OpenFile, socket: Socket, note: Annotation) -> None:
    """Record the addresses of a socket; those of a unix socket are inodes, worth less than the path it connected to."""
    ends.noted = True
    socket.protocol = note.protocol or socket.protocol
    if note.inode is None:
        socket.local = note.local or socket.local
        socket.peer = note.peer or socket.peer
    else:
        socket.peer = socket.peer or note.peer or None
    own = note.local if note.inode is None else str(note.inode)
    if own and note.peer:
        socket.named = True
        ends.name(file, own, note.peer)


def _become(file: OpenFile, kind: Kind) -> None:
    if file.kind is Kind.UNKNOWN:
        file.kind = kind


def as_socket(file: OpenFile) -> Socket:
    """Return the description's socket, which is created if a call uses the description as one."""
    if file.socket is None:
        file.socket = Socket()
        file.kind = Kind.SOCKET
    return file.socket


def as_pipe(file: OpenFile, *, writing: bool) -> PipeEnd:
    """Return the description's pipe end, which is created if a call uses the description as one."""
    if file.pipe is None:
        file.pipe = PipeEnd(writing, Pipe())
        file.kind = Kind.PIPE
    if file.pipe.writing is None:
        file.pipe.direct(file, writing=writing)
    return file.pipe
