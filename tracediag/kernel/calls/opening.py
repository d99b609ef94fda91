"""Calls that create descriptors: open(2), socket(2), accept(2), pipe(2), epoll_create(2), eventfd(2) and similar."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from tracediag.kernel.action import Action
from tracediag.kernel.calls.mapping import opened_empty
from tracediag.kernel.calls.subject import subject
from tracediag.kernel.descriptor import Kind, OpenFile
from tracediag.kernel.epoll import EpollSet
from tracediag.kernel.flags import StatusFlags
from tracediag.kernel.handlers import handles
from tracediag.kernel.learning import as_socket, learn
from tracediag.kernel.numbers import install
from tracediag.kernel.pipe import Pipe, PipeEnd
from tracediag.kernel.socket import Socket, format_address
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.calls import ACCEPTS, EPOLL_CREATES, OPENS, PIPES
from tracediag.trace.events import Syscall
from tracediag.trace.values import items_of, names_of, note_of, number_of

_FILE = Kind.FILE
"""A module-level alias, because every open reads it: see `subject`."""
_SOCKET_BITS = frozenset({"SOCK_NONBLOCK", "SOCK_CLOEXEC"})
_FLAGS = re.compile(r"(?>\.\.\.)?+, O_[A-Z_]++(?>\|O_[A-Z_]++)*+(?>, 0[0-7]{0,6})?+")


def _flags(*names: str) -> StatusFlags:
    made = StatusFlags()
    made.learn(names)
    return made


def _has_cloexec(names: frozenset[str]) -> bool:
    return any(name.endswith("_CLOEXEC") for name in names)


@handles(*OPENS, "open_by_handle_at")
def open_file(action: Action, call: Syscall) -> None:
    """Create a descriptor; its path and status flags are parsed from the call on first use."""
    if call.result is None or call.result < 0:
        return
    file = OpenFile(_FILE, call)
    annotate(action, file, call)
    after = call.body[call.body.rfind('"') + 1 :]
    cloexec, empty = _modes(after) or (call.has("O_CLOEXEC"), call.has("O_TRUNC"))
    install(action, call.result, file, cloexec=cloexec)
    if empty:
        opened_empty(action, call, file)


@lru_cache(maxsize=256)
def _modes(after: str) -> tuple[bool, bool] | None:
    """Return whether O_CLOEXEC and O_TRUNC are among the flags after a path; None where the text is not plain flags.

    Two flags are asked for at each open, and few texts stand after the paths.
    """
    if _FLAGS.fullmatch(after) is None:
        return None
    words = frozenset(re.split(r"\W+", after))
    return "O_CLOEXEC" in words, "O_TRUNC" in words


def annotate(action: Action, file: OpenFile, call: Syscall) -> None:
    """Record what the annotation of a result shows: `= 3</etc/passwd>`."""
    note = call.detail
    if not note or f"<{note}>" not in call.tail:
        return
    if file.kind is _FILE:
        if "<char " not in note:
            file.known_path = note
            return
        file.kind = Kind.UNKNOWN
    learn(action.kernel.endpoints, file, parse_annotation(note))


@handles("socket")
def socket(action: Action, call: Syscall) -> None:
    """Create a socket; SOCK_NONBLOCK and SOCK_CLOEXEC may be or-ed into its type: socket(2)."""
    if call.result is None or call.result < 0:
        return
    file = _new_socket(call)
    annotate(action, file, call)
    install(action, call.result, file, cloexec="SOCK_CLOEXEC" in names_of(call.arg(1)))


def _new_socket(call: Syscall) -> OpenFile:
    bits = names_of(call.arg(1))
    kind = next((name for name in bits - _SOCKET_BITS if name.startswith("SOCK_")), None)
    family = next(iter(names_of(call.arg(0))), None)
    return OpenFile(Kind.SOCKET, call, known_flags=_flags("O_RDWR", *bits), socket=Socket(family, kind))


@handles("socketpair")
def socketpair(action: Action, call: Syscall) -> None:
    """Create two sockets connected to each other."""
    numbers = [number_of(item) for item in items_of(call.arg(3))]
    if call.result != 0 or len(numbers) != 2:
        return
    files = (_new_socket(call), _new_socket(call))
    action.kernel.endpoints.pair(*files)
    for number, file in zip(numbers, files, strict=True):
        if number is not None:
            as_socket(file).connected = call
            install(action, number, file, cloexec="SOCK_CLOEXEC" in names_of(call.arg(1)))


@handles(*ACCEPTS)
def accept(action: Action, call: Syscall) -> None:
    """Accept a connection from a listener's backlog; it does not inherit the listener's flags: accept(2)."""
    listener = subject(action, call)
    if listener is not None:
        as_socket(listener.file).accepting = True
    if call.result is None or call.result < 0:
        return
    names = names_of(call.arg(3)) if call.name == "accept4" else frozenset()
    file = OpenFile(Kind.SOCKET, call, known_flags=_flags("O_RDWR", *names), socket=Socket(accepted=call))
    made = as_socket(file)
    if listener is not None and listener.file.socket is not None:
        heard = listener.file.socket
        made.family, made.type, made.local = heard.family, heard.type, heard.local
    made.peer = format_address(call.arg(1))
    annotate(action, file, call)
    install(action, call.result, file, cloexec="SOCK_CLOEXEC" in names)
    action.kernel.endpoints.answer(file)


@handles(*PIPES)
def pipe(action: Action, call: Syscall) -> None:
    """Create both ends of a pipe: pipe(2)."""
    items = items_of(call.arg(0))
    if call.result != 0 or len(items) != 2:
        return
    names = names_of(call.arg(1))
    note = note_of(items[0])
    both = Pipe(made=call, inode=None if note is None else parse_annotation(note).inode)
    action.kernel.endpoints.know(both)
    for writing, item in enumerate(items):
        number = number_of(item)
        if number is not None:
            access = "O_WRONLY" if writing else "O_RDONLY"
            end = PipeEnd(bool(writing), both)
            file = OpenFile(Kind.PIPE, call, known_flags=_flags(access, *names), pipe=end)
            end.direct(file, writing=bool(writing))
            install(action, number, file, cloexec="O_CLOEXEC" in names)


@handles(*EPOLL_CREATES)
def epoll_create(action: Action, call: Syscall) -> None:
    """Create an empty epoll set."""
    if call.result is not None and call.result >= 0:
        file = OpenFile(Kind.EPOLL, call, known_flags=_flags("O_RDWR"), epoll=EpollSet())
        install(action, call.result, file, cloexec=_has_cloexec(names_of(call.arg(0))))


def _anonymous(kind: Kind, flags_at: int) -> Callable[[Action, Syscall], None]:
    """Return the handler of a call that only creates a descriptor, with its flags in one argument."""

    def handler(action: Action, call: Syscall) -> None:
        if call.result is None or call.result < 0:
            return
        names = names_of(call.arg(flags_at))
        nonblocking = ("O_NONBLOCK",) if any(name.endswith("_NONBLOCK") for name in names) else ()
        file = OpenFile(kind, call, known_flags=_flags("O_RDWR", *nonblocking))
        install(action, call.result, file, cloexec=_has_cloexec(names))

    return handler


_NO_FLAGS = 9
"""An argument position that no call has."""

for _name, (_kind, _position) in {
    "eventfd": (Kind.EVENTFD, _NO_FLAGS),
    "eventfd2": (Kind.EVENTFD, 1),
    "timerfd_create": (Kind.TIMERFD, 1),
    "signalfd": (Kind.SIGNALFD, _NO_FLAGS),
    "signalfd4": (Kind.SIGNALFD, 3),
    "inotify_init": (Kind.INOTIFY, _NO_FLAGS),
    "inotify_init1": (Kind.INOTIFY, 0),
    "fanotify_init": (Kind.FANOTIFY, 0),
    "memfd_create": (Kind.MEMFD, 1),
    "pidfd_open": (Kind.PIDFD, 1),
    "perf_event_open": (Kind.OTHER, 4),
    "userfaultfd": (Kind.OTHER, 0),
    "io_uring_setup": (Kind.IO_URING, _NO_FLAGS),
}.items():
    handles(_name)(_anonymous(_kind, _position))
