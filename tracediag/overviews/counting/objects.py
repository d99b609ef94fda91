"""By file, and by peer: the object of each call, from its arguments, `-y` or the kernel model.

These views create an event for every call and run the complete model: they take as long as an analysis.
"""

from __future__ import annotations

import abc

from tracediag.kernel import apply
from tracediag.kernel.describe import describe_file
from tracediag.kernel.descriptor import PATHS, Descriptor
from tracediag.kernel.process import Thread
from tracediag.kernel.socket import format_address
from tracediag.overviews.counting.view import Progress, View, outcome_of
from tracediag.overviews.sources import kernel_of
from tracediag.reading import Reader
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.calls import ACCEPTS
from tracediag.trace.events import Syscall
from tracediag.trace.values import Structure, bare, note_of, text_of

_NAMES_ITSELF = frozenset({"bind", "getsockname"})
"""Calls whose address argument is the socket's own address."""
_PATHS = ("/", "\\x2f")
"""How the note of a file begins, without and with `-xx`."""
_CREATES = frozenset(PATHS)


class ObjectView(View):
    """One row per object; its parts are the calls made on it."""

    def take(self, trace: str, progress: Progress | None) -> Reader:
        """Count the calls of a trace; return the reader, which is at its end."""
        kernel, reader = kernel_of(trace), Reader(trace, progress=progress)
        for event in reader:
            if not isinstance(event, Syscall):
                apply(kernel, event)
                continue
            thread = kernel.process_table.thread(event)
            before = _descriptor(thread, event)
            apply(kernel, event)
            self._add(event, self.object_of(event, before, thread))
        return reader

    def _add(self, call: Syscall, key: str | None) -> None:
        if key is None:
            self.elsewhere += 1
        elif not call.returned:
            self.accounts[key].lose(call.name)
        else:
            self.accounts[key].add(*outcome_of(call), call.name)

    @abc.abstractmethod
    def object_of(self, call: Syscall, descriptor: Descriptor | None, thread: Thread) -> str | None:
        """Return the object of a call; `descriptor` is what its number referred to when it began."""


class FileView(ObjectView):
    """One row per path, or other object of a descriptor."""

    by = "file"

    def object_of(self, call: Syscall, descriptor: Descriptor | None, thread: Thread) -> str | None:
        """Return the path of a call, or the object of its descriptor; None if it has neither."""
        if call.name in _CREATES and call.result is not None and call.result >= 0 and call.detail.startswith(_PATHS):
            return parse_annotation(call.detail).path
        path = text_of(call.arg("path"))
        if path is not None and path.data:
            return _joined(call, str(path), thread)
        number = call.number("fd")
        if number is None or number < 0:
            return None
        note = note_of(call.arg("fd"))
        if note is not None:
            return parse_annotation(note).path if note.startswith(_PATHS) else note
        known = None if descriptor is None else describe_file(descriptor.file)
        return known or f"fd {number}"


class PeerView(ObjectView):
    """One row per address; the clients that a server accepted are one row per host, as their ports always differ."""

    by = "peer"

    def object_of(self, call: Syscall, descriptor: Descriptor | None, thread: Thread) -> str | None:
        """Return the address of the other end; None if there is none, or the trace does not show it."""
        del thread
        address = None if call.name in _NAMES_ITSELF else _address(call)
        if call.name in ACCEPTS:
            return address and _host(address)
        socket = None if descriptor is None else descriptor.file.socket
        if address is not None:
            return address
        note = note_of(call.arg("fd"))
        shown = None if note is None else parse_annotation(note)
        known = None if socket is None else socket.peer
        if shown is not None and shown.kind == "socket" and shown.peer and shown.inode is None:
            known = shown.peer
        if known is None or known.isdecimal():  # an unnamed unix socket has only an inode
            return None if known is None else f"unix socket {known}"
        return _host(known) if socket is not None and socket.accepted is not None else known


def _descriptor(thread: Thread, call: Syscall) -> Descriptor | None:
    """Return what the number of a call refers to, as far as known."""
    if isinstance(thread.inside_descriptor, Descriptor):
        return thread.inside_descriptor
    number = call.number("fd")
    return None if number is None else thread.process.table.get(number)


def _joined(call: Syscall, path: str, thread: Thread) -> str:
    """Return the path resolved against its directory, if that is known."""
    if path.startswith("/"):
        return path
    directory = call.arg("dirfd") or call.arg("olddirfd")
    note = note_of(directory)
    if note is None and isinstance(number := bare(directory), int):
        held = thread.process.table.get(number)
        note = None if held is None else held.file.path
    if note is None or not note.startswith("/"):
        return path
    return f"{parse_annotation(note).path.rstrip('/')}/{path.removeprefix('./')}"


def _address(call: Syscall) -> str | None:
    """Return the address that a call names, in an argument or in a message."""
    found = format_address(call.arg("addr"))
    if found is None and call.name in ("sendmsg", "recvmsg"):
        message = bare(call.arg(1))
        found = format_address(message.get("msg_name")) if isinstance(message, Structure) else None
    return found


def _host(address: str) -> str:
    """Return the address without its port."""
    host, colon, port = address.rpartition(":")
    return f"{host}:*" if colon and port.isdecimal() else address
