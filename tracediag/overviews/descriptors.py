"""One descriptor in words: what it refers to, since when, in what condition, and which others share it."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.paths import path_of
from tracediag.kernel.describe import describe_file
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.process import Process
from tracediag.kernel.table import DescriptorTable
from tracediag.results.state import Holder, OpenDescriptor
from tracediag.trace.calls import MESSAGE_RECEIVES
from tracediag.trace.events import Event, Syscall

_ACCESS = {"O_RDONLY": "read", "O_WRONLY": "write", "O_RDWR": "read/write"}
_STATUS = {
    "O_NONBLOCK": "nonblock",
    "O_APPEND": "append",
    "O_ASYNC": "async",
    "O_DIRECT": "direct",
    "O_NOATIME": "noatime",
}
_MOST = 64
"""Holders of one description that are named: a listener may be shared by a thousand workers."""


def open_descriptor(descriptor: Descriptor, process: Process) -> OpenDescriptor:
    """Return a descriptor of a process as plain values, as the model knows it now."""
    file, opened = descriptor.file, descriptor.opened
    other = file.other
    return OpenDescriptor(
        number=descriptor.number,
        kind=str(file.kind),
        what=what_of(file, process),
        flags=flags_of(descriptor),
        line=None if opened is None else line_of(opened),
        call=None if opened is None else opened.name,
        origin=origin_of(descriptor),
        condition=tuple(_condition(file)),
        shared_with=tuple(holder for holder in holders(file) if holder != Holder(process.pid, descriptor.number)),
        other_end=() if other is None else tuple(holders(other)),
    )


def what_of(file: OpenFile, process: Process) -> str | None:
    """Return what a description refers to, with the directory that openat took the path from."""
    return path_of(file, process) or describe_file(file)


def flags_of(descriptor: Descriptor) -> tuple[str, ...]:
    """Return the access mode, the status flags and cloexec, as far as they are known."""
    flags = descriptor.file.flags
    found = [_ACCESS[flags.access]] if flags.access in _ACCESS else []
    found += [word for name, word in _STATUS.items() if flags.has(name)]
    return (*found, "cloexec") if descriptor.cloexec else tuple(found)


def line_of(event: Event) -> int:
    """Return the line at which an event was complete."""
    return event.end_line or event.line if isinstance(event, Syscall) else event.line


def time_of(event: Event) -> float | None:
    """Return the time at which an event was complete, as far as the trace shows it."""
    return event.time if not isinstance(event, Syscall) or event.end_time is None else event.end_time


def origin_of(descriptor: Descriptor) -> str:
    """Return where a copy came from, in words; "" for a descriptor that was created as it is."""
    source, opened = descriptor.copy_of, descriptor.opened
    if source is not None and source.table is not descriptor.table:
        owner = _pid_of(source.table)
        return "inherited" if owner is None else f"inherited from pid {owner}"
    if source is not None:
        return f"dup of fd {source.number}"
    if opened is not None and opened.name in MESSAGE_RECEIVES:
        sender = descriptor.file.opened
        if sender is None or sender is opened:
            return "received by SCM_RIGHTS"
        return f"received by SCM_RIGHTS, created at line {line_of(sender)} by pid {sender.pid}"
    return ""


def _pid_of(table: DescriptorTable) -> int | None:
    return next((process.pid for process in table.users), None)


def holders(file: OpenFile) -> Iterator[Holder]:
    """Yield the live descriptors of a description in traced processes, one for each process that shares a table."""
    for table in list(file.heir_tables):
        table.claim(file)
    count = 0
    for descriptor in list(file.holders):
        for process in descriptor.table.users:
            if process.exit is None and count < _MOST:
                count += 1
                yield Holder(process.pid, descriptor.number)


def _condition(file: OpenFile) -> Iterator[str]:
    socket = file.socket
    if file.terminal:
        yield "terminal"
    if file.pipe is not None and file.pipe.pipe.broken is not None:
        yield f"write failed with EPIPE at line {line_of(file.pipe.pipe.broken):,}"
    if file.at_end is not None:
        yield f"at end of file since line {line_of(file.at_end.first):,}"
    if socket is None:
        return
    if socket.listening is not None:
        yield f"listening since line {line_of(socket.listening):,}"
    if socket.connected is not None and socket.connected.errno == "EINPROGRESS":
        yield f"connecting since line {line_of(socket.connected):,}"
    for words, call in (
        ("the peer has closed its side", socket.ended),
        ("hang-up reported", socket.hung_up),
        ("broken", socket.broken),
        ("shut down", socket.shut),
    ):
        if call is not None:
            errno = f" ({call.errno})" if call.errno else ""
            yield f"{words}{errno} since line {line_of(call):,}"
