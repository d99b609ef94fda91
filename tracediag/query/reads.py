"""How the names of a query are read of a call: one function for each that takes more than an attribute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from tracediag.evidence.named_paths import paths_of
from tracediag.evidence.names import process_name
from tracediag.kernel.descriptor import Kind
from tracediag.kernel.flags import ACCESS_MODES, StatusFlags
from tracediag.kernel.signals import Disposition
from tracediag.kernel.socket import format_address
from tracediag.query.subject import Subject
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.calls import BATCHES, KILLS, MOVES, POSITIONED, READS, WRITES
from tracediag.trace.events import Syscall
from tracediag.trace.numbers import identifier
from tracediag.trace.values import Array, Text, bare, note_of, text_of, walk

TRANSFERS = (READS | WRITES | POSITIONED | MOVES) - BATCHES
_COMM = 15
"""Bytes of a command's name that the kernel keeps: prctl(2), PR_SET_NAME."""


def read_text(value: str | None) -> tuple[str, ...] | None:
    """Return a text as the only one."""
    return None if value is None else (value,)


def read_shown(subject: Subject) -> tuple[str, ...]:
    """Return the strings among the arguments that are data, joined: the pieces of a writev are one text."""
    found = [value for arg in subject.call.args for value in walk(arg) if isinstance(value, Text)]
    return ("".join(map(str, found)),) if found else ()


def read_moved(subject: Subject) -> int | None:
    """Return how many bytes a read, write or copy moved."""
    call = subject.call
    return call.result if call.name in TRANSFERS and call.errno is None else None


def read_number(subject: Subject) -> int | None:
    """Return the number of the descriptor."""
    return subject.call.number("fd") if (held := subject.descriptor) is None else held.number


def read_kind(subject: Subject) -> str | None:
    """Return the kind of what the descriptor refers to."""
    held = subject.descriptor
    return None if held is None else str(held.file.kind)


def read_of_socket(field: str) -> Callable[[Subject], Any]:
    """Return what reads a field of the socket."""

    def read(subject: Subject) -> Any:
        held = subject.descriptor
        socket = None if held is None else held.file.socket
        return None if socket is None else getattr(socket, field)

    return read


read_local, read_protocol = read_of_socket("local"), read_of_socket("protocol")
read_socket_peer = read_of_socket("peer")


def read_peer(subject: Subject) -> str | None:
    """Return the address of the other end; of a connect that failed, the address that it names."""
    call = subject.call
    if call.name == "connect" and call.errno is not None and (named := format_address(call.arg("addr"))) is not None:
        return named
    found: str | None = read_socket_peer(subject)
    return None if found is not None and found.isdecimal() else found  # strace -yy shows an inode of a unix socket


def read_port(address: str | None) -> int | None:
    """Return the port of an address."""
    return None if address is None else identifier(address.rpartition(":")[2]) if ":" in address else None


def read_host(address: str | None) -> str | None:
    """Return the host of an address; a name of a unix socket is one."""
    if address is None or ":" not in address:
        return address
    return address.rpartition(":")[0].removeprefix("[").removesuffix("]")


def read_path(subject: Subject) -> tuple[str, ...] | None:
    """Return the path of the open file, as far as known."""
    held = subject.descriptor
    if held is None:
        return read_text(read_noted(subject))
    if held.file.kind is Kind.SOCKET:
        return None
    path = held.file.path
    if path is None or path.startswith("/") or held.file.opened is None:
        return read_text(path)
    return paths_of(held.file.opened)[:1]


def read_noted(subject: Subject) -> str | None:
    """Return the path that strace prints beside the number of a descriptor (-y)."""
    note = note_of(subject.call.arg("fd"))
    path = "" if note is None else parse_annotation(note).path
    return path if path.startswith("/") else None


def read_status(flags: StatusFlags) -> Callable[[str], bool]:
    """Return what says whether a status flag, or an access mode, is on."""
    return lambda name: flags.access == name if name in ACCESS_MODES else bool(flags.has(name))


def read_flags(subject: Subject) -> Callable[[str], bool] | None:
    """Return the status flags of the descriptor."""
    held = subject.descriptor
    return None if held is None else read_status(held.file.flags)


def read_returned(subject: Subject) -> bool:
    """Whether the call returned."""
    return subject.call.returned and subject.call.result is not None


def read_detail(subject: Subject) -> tuple[str, ...] | None:
    """Return what strace adds to the result."""
    return read_text(subject.call.detail or None)


def read_listening(subject: Subject) -> bool | None:
    """Whether the socket accepts connections."""
    return read_of_socket("accepting")(subject)  # type: ignore[no-any-return]


def read_pid(subject: Subject) -> int | None:
    """Return the pid of the process."""
    process = subject.process
    return None if process is None else process.pid


def read_program(subject: Subject) -> str | None:
    """Return the path of the program of the process, or of the parent that it was forked from."""
    process = subject.process
    while process is not None and process.program is None:
        process = process.parent
    return None if process is None else process.program


def read_command(subject: Subject) -> tuple[str, ...] | None:
    """Return the arguments of the process, or of the parent that it was forked from."""
    process = subject.process
    while process is not None and process.executed is None:
        process = process.parent
    if process is None or process.executed is None:
        return None
    arguments = bare(process.executed.arg("argv"))
    items = arguments.items if isinstance(arguments, Array) else ()
    return (" ".join(str(text) for item in items if (text := text_of(item)) is not None),)


def read_comm(subject: Subject) -> tuple[str, ...] | None:
    """Return the name of the program as the kernel keeps it."""
    program = read_program(subject)
    return None if program is None else (PurePosixPath(program).name[:_COMM],)


def read_address(subject: Subject) -> str | None:
    """Return the address among the arguments."""
    return format_address(subject.call.arg("addr"))


def read_uid(subject: Subject) -> int | None:
    """Return the effective user, once the trace shows it."""
    process = subject.process
    return None if process is None else process.user_at(subject.call.line)


def read_filtered(subject: Subject) -> bool | None:
    """Return True where a filter was installed in the trace; an unseen ancestor may have installed one, too."""
    process = subject.process
    seccomp = None if process is None else process.seccomp
    return True if seccomp is not None and seccomp.call.line < subject.call.line else None


def read_signals(what: Disposition) -> Callable[[Subject], Callable[[str], bool] | None]:
    """Return what reads the signals that do one thing to the process."""

    def read(subject: Subject) -> Callable[[str], bool] | None:
        process = subject.process
        return None if process is None else lambda name: process.signals.get(name) is what

    return read


def read_sigchld(subject: Subject) -> Syscall | None:
    """Return the call that set what SIGCHLD does to the process."""
    process = subject.process
    return None if process is None else process.signals.set_by.get("SIGCHLD")


def read_to_itself(subject: Subject) -> bool | None:
    """Whether a signal is sent to the process itself."""
    process, target = subject.process, subject.call.number(0)
    if process is None or process.pid is None or target is None or subject.call.name not in KILLS:
        return None
    return process.is_called(target)


def read_limit(resource: str) -> Callable[[Subject], int | None]:
    """Return what reads a limit of the process."""

    def read(subject: Subject) -> int | None:
        process = subject.process
        limit = None if process is None else process.limit_at(resource, subject.call.line)
        return None if limit is None else limit.soft

    return read


def read_limit_call(resource: str) -> Callable[[Subject], Syscall | None]:
    """Return what reads the call that has shown a limit of the process."""

    def read(subject: Subject) -> Syscall | None:
        process = subject.process
        limit = None if process is None else process.limit_at(resource, subject.call.line)
        return None if limit is None else limit.call

    return read


def read_name(subject: Subject) -> tuple[str, ...] | None:
    """Return how a report calls the process."""
    return None if subject.process is None else (process_name(subject.process),)


def read_cloexec(subject: Subject) -> bool | None:
    """Whether an execve closes the descriptor."""
    held = subject.descriptor
    return None if held is None else held.cloexec
