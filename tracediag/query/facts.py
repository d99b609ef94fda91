"""What the evidence knows of a call, for the names of a query: its socket's end, its length."""

from __future__ import annotations

from tracediag.evidence import lengths
from tracediag.evidence.complaints import meaning
from tracediag.evidence.named_paths import paths_of
from tracediag.evidence.paths import path_of
from tracediag.evidence.peers import departed
from tracediag.query.subject import Subject
from tracediag.trace.events import Event

BOTH_WAYS = frozenset({"EPOLLHUP", "EPOLLERR", "POLLHUP", "POLLERR"})
"""Reported when both directions are closed; RDHUP alone is a half-close, after which writing is right."""
_UNIX = frozenset({"AF_UNIX", "AF_LOCAL", "PF_UNIX", "PF_LOCAL"})


def family(subject: Subject) -> tuple[str, ...] | None:
    """Return the family of the socket, AF_UNIX under that name alone."""
    held = subject.descriptor
    socket = None if held is None else held.file.socket
    if socket is None:
        return None
    unix = socket.family in _UNIX or (socket.protocol or "").startswith("UNIX")
    found = "AF_UNIX" if unix else socket.family
    return None if found is None else (found,)


def file_system(subject: Subject) -> tuple[str, ...] | None:
    """Return the types of the file systems of the paths of the call, or of its descriptor."""
    process, held, call = subject.process, subject.descriptor, subject.call
    if process is None or process.file_systems is None:
        return None
    paths = {path for path in paths_of(call) if path.startswith("/") or call.number(0) is None}
    if not paths and held is not None and (path := path_of(held.file, process)) is not None:
        paths = {path}
    kinds = {process.file_systems.kind_of(path, process) for path in paths}
    return tuple(sorted(kinds - {""})) or None


def breaks(subject: Subject) -> bool:
    """Whether the call is the first that shows the end of the connection."""
    held = subject.descriptor
    return held is not None and held.file.socket is not None and held.file.socket.broken is subject.call


def hangup_known(subject: Subject) -> bool:
    """Whether a hang-up was reported by another wait than that of this turn: a program may finish the turn."""
    held, action = subject.descriptor, subject.action
    socket = None if held is None else held.file.socket
    if socket is None or action is None or socket.hung_up is None or socket.hung_up.line >= subject.call.line:
        return False
    turns = action.thread.rounds.values()
    return bool(socket.hung_up_events & BOTH_WAYS) and all(turn.wait is not socket.hung_up for turn in turns)


def left(subject: Subject) -> tuple[Event, str] | None:
    """Return what closed the other end of the descriptor, and that in words."""
    held, action = subject.descriptor, subject.action
    return None if held is None or action is None else departed(action.kernel, held.file, subject.call)


def closing(subject: Subject) -> tuple[str, ...] | None:
    """Return what closed the other end, in words."""
    found = left(subject)
    return None if found is None else (found[1],)


def error_text(subject: Subject) -> tuple[str, ...] | None:
    """Return what the error of the call means, as strerror(3) says it."""
    errno = subject.call.errno
    return None if errno is None else (meaning(errno),)


def unsigned_length(subject: Subject) -> int | None:
    """Return a negative length as the kernel takes it, where the trace shows it so."""
    length = lengths.length_of(subject.call) if negative_length(subject) is not None else None
    return length if length is not None and length > 0 else None


def negative_length(subject: Subject) -> int | None:
    """Return the negative number that the length of the call was made from."""
    return lengths.negative_length(subject.call)


def length_error(subject: Subject) -> tuple[str, ...] | None:
    """Return the error whose negative number the length is."""
    negative = negative_length(subject)
    found = None if negative is None else lengths.error_of(negative)
    return None if found is None else (found,)


def length_cause(subject: Subject) -> Event | None:
    """Return the failed call whose result the length is."""
    negative, process = negative_length(subject), subject.process
    return None if negative is None or process is None else lengths.cause(subject.call, process, negative)


def answered(subject: Subject) -> bool:
    """Whether data of the peer arrived after the last write, or without any."""
    held = subject.descriptor
    socket = None if held is None else held.file.socket
    if socket is None or socket.last_read is None:
        return False
    return socket.last_write is None or socket.last_write.line < socket.last_read.line


def datagram(subject: Subject) -> bool:
    """Whether the socket keeps the borders of messages."""
    held = subject.descriptor
    return held is not None and held.file.socket is not None and held.file.socket.stream is False
