"""Earlier events that the model remembers, by name: what they read is an event of the trace, not a value of the call.

`fd.last_write` alone is true where the trace shows such a call; `fd.last_write.bytes` is what `bytes` reads of it.
"""

from __future__ import annotations

from collections.abc import Callable

from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.socket import Socket
from tracediag.query import children, ends, flags, reads, records
from tracediag.query.facts import BOTH_WAYS, left, length_cause
from tracediag.query.names import NAMES, Name
from tracediag.query.names.of_processes import LIMITS
from tracediag.query.stand_ins import subject_call
from tracediag.query.subject import Subject
from tracediag.query.types import Type
from tracediag.trace.calls import MESSAGE_RECEIVES
from tracediag.trace.events import Event

_LAST = "thread.last"
"""What the model knows of it holds still: its descriptor, its file."""
Earlier = Callable[[Subject], Event | None]


def _before(read: Callable[[Descriptor], Event | None]) -> Earlier:
    """Return what reads an event of the descriptor, if it stands before the call."""

    def earlier(subject: Subject) -> Event | None:
        held = subject.descriptor
        found = None if held is None else read(held)
        return found if found is not None and found.line < subject.call.line else None

    return earlier


def _made(*, received: bool) -> Earlier:
    def made(held: Descriptor) -> Event | None:
        opened = held.opened
        return opened if opened is not None and (opened.name in MESSAGE_RECEIVES) is received else None

    return _before(made)


def _of_socket(field: str) -> Earlier:
    def read(held: Descriptor) -> Event | None:
        socket = held.file.socket
        return None if socket is None else getattr(socket, field)

    return _before(read)


def _opened(held: Descriptor) -> Event | None:
    return held.file.opened


def _departure(subject: Subject) -> Event | None:
    found = left(subject)
    return None if found is None else found[0]


def _sign(socket: Socket) -> Event | None:
    """Return what first showed that the peer has closed; a hang-up of both directions says most."""
    if socket.hung_up is not None and socket.hung_up_events & BOTH_WAYS:
        return socket.hung_up
    signs = [sign for sign in (socket.hung_up, socket.ended) if sign is not None]
    return min(signs, key=lambda sign: sign.line, default=None)


def _sign_of(field: str) -> Earlier:
    def read(held: Descriptor) -> Event | None:
        socket = held.file.socket
        found = None if socket is None else _sign(socket)
        return found if found is not None and found is getattr(socket, field) else None

    return _before(read)


_ALL: tuple[tuple[str, str, Earlier], ...] = (
    ("fd.created", "the call that created the descriptor", _made(received=False)),
    ("fd.received", "the recvmsg that received it from another process", _made(received=True)),
    ("fd.opened", "the call that created what it refers to, maybe under another number", _before(_opened)),
    ("fd.connected", "the connect of the socket", _of_socket("connected")),
    ("fd.last_read", "the last read that returned data of the peer", _of_socket("last_read")),
    ("fd.last_write", "the last write that succeeded", _of_socket("last_write")),
    (
        "fd.hung_up",
        "the wait that reported a hang-up, where that showed first that the peer has closed",
        _sign_of("hung_up"),
    ),
    ("fd.ended", "the read of 0 that showed it first", _sign_of("ended")),
    ("fd.shut", "the shutdown of the socket", _of_socket("shut")),
    ("flags.getfd", "of an F_SETFL: the F_GETFD just before it", flags.mistaken),
    ("flags.getfl", "of an F_SETFL: the F_GETFL before it", flags.fetched),
    ("flags.set", "the call that turned on what an F_SETFL clears", flags.setter),
    ("child.created", "of a wait for a child: the call that created it", children.created),
    ("child.exit", "its exit", children.ended),
    ("child.taken", "the earlier wait that took its status; then neither of these two is known", children.taken),
    *(
        (
            f"process.limit.{name}.shown",
            "the call that shows this limit",
            reads.read_limit_call(f"RLIMIT_{name.upper()}"),
        )
        for name, _unit, _what in LIMITS
    ),
    ("thread.last", "before a signal or an end: the last call of its thread", records.last),
    ("thread.delivered", "likewise the last signal", records.delivered),
    (
        "thread.refused",
        "likewise the call that a seccomp filter refuses, where that is known",
        records.refused,
    ),
    ("process.stack", "the sigaltstack that set its alternate signal stack", records.stack),
    ("process.stack.gone", "the munmap of that stack", records.stack_gone),
    ("process.filter", "the call that installed its seccomp filter, or strict mode", records.read_filter),
    ("process.sigchld", "the call that set what SIGCHLD does to the process", reads.read_sigchld),
    ("fd.broken", "the first call that failed with EPIPE or ECONNRESET", _of_socket("broken")),
    ("end.exit", "the exit of the process", ends.left),
    ("end.delivered", "the last signal after the call", ends.delivered),
    ("end.returned", "the last return of a handler in its thread after it", ends.returned),
    ("end.raised", "the first signal of its thread after the call, of the last two", ends.raised),
    ("end.report", "the message after the call, first of all one that names its error", ends.reported),
    ("length.cause", "the failed call whose result is passed as the length", length_cause),
    ("peer.closed", "what closed the other end, if its process is traced", _departure),
)

EARLIER: dict[str, Name] = {
    name: Name(name, Type.EARLIER, doc, read, "", True)  # the events of a descriptor are those of the model
    for name, doc, read in _ALL
}
"""All names of earlier events."""


def known(name: str) -> Name | None:
    """Return what a name reads of a call, or of an earlier event; None if nothing is named so."""
    found = NAMES.get(name) or EARLIER.get(name)
    return found if found is not None else _of_earlier(name)


def _of_earlier(name: str) -> Name | None:
    """Return what `fd.last_write.bytes` reads: the part after the name of an event is that of a call."""
    for prefix, event in EARLIER.items():
        field = NAMES.get(name.removeprefix(f"{prefix}.")) if name.startswith(f"{prefix}.") else None
        if field is not None and (not field.model or prefix == _LAST):
            return Name(name, field.type, field.doc, _reading(event, field), field.unit, True, None, field.words)
    return None


def _reading(event: Name, field: Name) -> Callable[[Subject], object]:
    def read(subject: Subject) -> object:
        found: Event | None = event.read(subject)
        if found is not None and (call := subject_call(found)) is not None:
            return field.read(Subject(call, subject.action if field.model else None))
        return found.line if found is not None and field.name == "line" else None

    return read
