"""Every name that a query reads: its type, its unit, what it means and how it is read. Listed here and nowhere else.

The list serves the compiler, `tracediag grep --names`, completion and docs/query.md.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import msgspec

from tracediag.evidence.flag_mixups import CONFUSIONS
from tracediag.evidence.lengths import LENGTHS, MARKS
from tracediag.evidence.named_paths import calls_with_paths, paths_of
from tracediag.kernel.descriptor import Kind
from tracediag.kernel.flags import ACCESS_MODES, StatusFlags
from tracediag.kernel.socket import format_address
from tracediag.query import ends, facts
from tracediag.query.classes import classes
from tracediag.query.subject import Subject
from tracediag.query.types import Type
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.calls import BATCHES, CONTROLS, KILLS, MOVES, POSITIONED, READS, WRITES
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.numbers import identifier
from tracediag.trace.values import Array, Text, bare, names_of, note_of, number_of, text_of, walk

_TRANSFERS = (READS | WRITES | POSITIONED | MOVES) - BATCHES
_COMM = 15
"""Bytes of a command's name that the kernel keeps: prctl(2), PR_SET_NAME."""

CLASSES = classes()
"""The classes of calls by name."""


class Name(msgspec.Struct, frozen=True):
    """One name that a query reads."""

    name: str
    type: Type
    doc: str
    read: Callable[[Subject], Any]
    """Returns the value, None where the call has none or the trace does not show it; a tuple of strings for text."""
    unit: str = ""
    model: bool = False
    """Whether it is read from the model of the kernel, which must then see the events before."""
    calls: Callable[[], frozenset[str]] | None = None
    """Returns the only calls that have it; None if any may."""
    words: frozenset[str] = frozenset()
    """The values that it can have, if they are few."""
    texts: tuple[str, ...] = ()
    """Texts of which the arguments of a call that has it show at least one; () if none is known."""


def _text(value: str | None) -> tuple[str, ...] | None:
    return None if value is None else (value,)


def _shown(subject: Subject) -> tuple[str, ...]:
    """Return the strings among the arguments that are data, joined: the pieces of a writev are one text."""
    found = [value for arg in subject.call.args for value in walk(arg) if isinstance(value, Text)]
    return ("".join(map(str, found)),) if found else ()


def _moved(subject: Subject) -> int | None:
    call = subject.call
    return call.result if call.name in _TRANSFERS and call.errno is None else None


def _number(subject: Subject) -> int | None:
    return subject.call.number("fd") if (held := subject.descriptor) is None else held.number


def _kind(subject: Subject) -> str | None:
    held = subject.descriptor
    return None if held is None else str(held.file.kind)


def _of_socket(field: str) -> Callable[[Subject], Any]:
    def read(subject: Subject) -> Any:
        held = subject.descriptor
        socket = None if held is None else held.file.socket
        return None if socket is None else getattr(socket, field)

    return read


_local, _protocol = _of_socket("local"), _of_socket("protocol")
_socket_peer = _of_socket("peer")


def _peer(subject: Subject) -> str | None:
    """Return the address of the other end; of a connect that failed, the address that it names."""
    call = subject.call
    if call.name == "connect" and call.errno is not None and (named := format_address(call.arg("addr"))) is not None:
        return named
    found: str | None = _socket_peer(subject)
    return None if found is not None and found.isdecimal() else found  # strace -yy shows an inode of a unix socket


def _port(address: str | None) -> int | None:
    return None if address is None else identifier(address.rpartition(":")[2]) if ":" in address else None


def _host(address: str | None) -> str | None:
    if address is None or ":" not in address:
        return address
    return address.rpartition(":")[0].removeprefix("[").removesuffix("]")


def _path(subject: Subject) -> tuple[str, ...] | None:
    held = subject.descriptor
    if held is None:
        return _text(_noted(subject))
    if held.file.kind is Kind.SOCKET:
        return None
    path = held.file.path
    if path is None or path.startswith("/") or held.file.opened is None:
        return _text(path)
    return paths_of(held.file.opened)[:1]


def _noted(subject: Subject) -> str | None:
    """Return the path that strace prints beside the number of a descriptor (-y)."""
    note = note_of(subject.call.arg("fd"))
    path = "" if note is None else parse_annotation(note).path
    return path if path.startswith("/") else None


def _status(flags: StatusFlags) -> Callable[[str], bool]:
    return lambda name: flags.access == name if name in ACCESS_MODES else bool(flags.has(name))


def _flags(subject: Subject) -> Callable[[str], bool] | None:
    held = subject.descriptor
    return None if held is None else _status(held.file.flags)


def _returned(subject: Subject) -> bool:
    return subject.call.returned and subject.call.result is not None


def _detail(subject: Subject) -> tuple[str, ...] | None:
    return _text(subject.call.detail or None)


def _listening(subject: Subject) -> bool | None:
    return _of_socket("accepting")(subject)  # type: ignore[no-any-return]


def _pid(subject: Subject) -> int | None:
    process = subject.process
    return None if process is None else process.pid


def _program(subject: Subject) -> str | None:
    process = subject.process
    while process is not None and process.program is None:
        process = process.parent
    return None if process is None else process.program


def _command(subject: Subject) -> tuple[str, ...] | None:
    process = subject.process
    while process is not None and process.executed is None:
        process = process.parent
    if process is None or process.executed is None:
        return None
    arguments = bare(process.executed.arg("argv"))
    items = arguments.items if isinstance(arguments, Array) else ()
    return (" ".join(str(text) for item in items if (text := text_of(item)) is not None),)


def _comm(subject: Subject) -> tuple[str, ...] | None:
    program = _program(subject)
    return None if program is None else (PurePosixPath(program).name[:_COMM],)


def _address(subject: Subject) -> str | None:
    return format_address(subject.call.arg("addr"))


def _uid(subject: Subject) -> int | None:
    process = subject.process
    return None if process is None else process.user_at(subject.call.line)


def _filtered(subject: Subject) -> bool | None:
    """Return True where a filter was installed in the trace; an unseen ancestor may have installed one, too."""
    process = subject.process
    seccomp = None if process is None else process.seccomp
    return True if seccomp is not None and seccomp.call.line < subject.call.line else None


def _to_itself(subject: Subject) -> bool | None:
    process, target = subject.process, subject.call.number(0)
    if process is None or process.pid is None or target is None or subject.call.name not in KILLS:
        return None
    return process.is_called(target)


def _limit(resource: str) -> Callable[[Subject], int | None]:
    def read(subject: Subject) -> int | None:
        process = subject.process
        limit = None if process is None else process.limit_at(resource, subject.call.line)
        return None if limit is None else limit.soft

    return read


def _cloexec(subject: Subject) -> bool | None:
    held = subject.descriptor
    return None if held is None else held.cloexec


_LIMITS = (
    ("as", "bytes", "address space"),
    ("fsize", "bytes", "the size of a file"),
    ("memlock", "bytes", "locked memory"),
    ("nofile", "", "open descriptors"),
    ("nproc", "", "processes of the user"),
)
_ENDS = (
    Name("end.failed", Type.TRUTH, "whether the process ended badly, by status or signal", ends.failed, "", True),
    Name("end.excerpt", Type.TRUTH, "whether the recording has no start or no end", lambda it: it.excerpt, "", True),
    Name("end.status", Type.NUMBER, "its exit status", ends.status, "", True),
    Name("end.signal", Type.TEXT, "the signal that killed it", ends.signal, "", True),
    Name("end.lines", Type.NUMBER, "the lines from the call to its end", ends.lines, "", True),
    Name("end.last", Type.TRUTH, "whether the call is the last before it", ends.last, "", True),
    Name("end.fault", Type.TEXT, "what is shown of the last signal after the call", ends.fault, "", True),
    Name("end.how", Type.TEXT, "how the process ended, in words", ends.how, "", True),
    Name("end.said", Type.TEXT, "what `end.report` is, in words", ends.said, "", True),
)
"""How the process of the call ended: for pages with `ended`."""
_ALL = (
    *_ENDS,
    Name("call", Type.CALL, "the name of the call", lambda it: it.call.name),
    Name("errno", Type.ERRNO, "the error that the call returned", lambda it: it.call.errno),
    Name("errno.text", Type.TEXT, "what that error means: Bad address", facts.error_text),
    Name("failed", Type.TRUTH, "whether the call returned an error", lambda it: it.call.errno is not None),
    Name("returned", Type.TRUTH, "whether the call returned", _returned),
    Name("result", Type.NUMBER, "the result; -1 for an error", lambda it: it.call.result),
    Name("bytes", Type.NUMBER, "what a read, write or copy moved", _moved, "bytes", False, lambda: _TRANSFERS),
    Name("detail", Type.TEXT, "what strace adds to the result: Timeout, a path", _detail),
    Name("duration", Type.SECONDS, "the time inside the call (-T)", lambda it: it.call.duration, "s"),
    Name("time", Type.NUMBER, "the time of the line in seconds, as recorded", lambda it: it.call.time, "s"),
    Name("line", Type.NUMBER, "the line of the trace", lambda it: it.call.line),
    Name("pid", Type.NUMBER, "the pid of the line: that of the thread", lambda it: it.call.pid),
    Name("path", Type.TEXT, "each path that the call names", lambda it: paths_of(it.call), "", False, calls_with_paths),
    Name("flags", Type.FLAGS, "the constants among the arguments", lambda it: it.call.has),
    Name(
        *("flags.confused", Type.WORD, "what F_SETFL or F_SETFD is passed of the other", facts.confused, "", True),
        *(lambda: CONTROLS, CONFUSIONS),
    ),
    Name(
        "flags.cleared",
        Type.TEXT,
        "the status flags that F_SETFL clears",
        facts.cleared_flags,
        "",
        True,
        lambda: CONTROLS,
    ),
    Name(
        "length.negative",
        Type.NUMBER,
        "a negative length that the call is passed",
        facts.negative_length,
        "count",
        calls=lambda: LENGTHS,
        texts=MARKS,
    ),
    Name(
        *("length.unsigned", Type.NUMBER, "the same as the kernel takes it", facts.unsigned_length),
        *("count", False, lambda: LENGTHS),
    ),
    Name(
        *("length.errno", Type.TEXT, "the error whose negative number it is", facts.length_error),
        *("", False, lambda: LENGTHS),
    ),
    Name("text", Type.TEXT, "the strings among the arguments, joined: data, paths", _shown),
    Name(
        "address",
        Type.TEXT,
        "an address among the arguments; of an abstract name it begins with @",
        lambda it: _text(_address(it)),
    ),
    Name("address.port", Type.NUMBER, "its port", lambda it: _port(_address(it))),
    Name("fd.number", Type.NUMBER, "the descriptor that the call is made on, or creates", _number, "", True),
    Name(
        *("fd.kind", Type.WORD, "what the descriptor refers to", _kind, "", True, None),
        frozenset(map(str, Kind)),
    ),
    Name("fd.path", Type.TEXT, "the path of the open file", _path, "", True),
    Name("fd.flags", Type.FLAGS, "the status flags: O_NONBLOCK, O_APPEND, O_RDWR", _flags, "", True),
    Name("fd.cloexec", Type.TRUTH, "whether an execve closes it", _cloexec, "", True),
    Name("fd.protocol", Type.TEXT, "TCP, UDP, UNIX-STREAM", lambda it: _text(_protocol(it)), "", True),
    Name("fd.family", Type.TEXT, "AF_INET, AF_INET6, AF_UNIX", facts.family, "", True),
    Name(
        "fd.breaks",
        Type.TRUTH,
        "whether this call is the first to fail with EPIPE or ECONNRESET",
        facts.breaks,
        "",
        True,
    ),
    Name(
        "fd.hangup_known",
        Type.TRUTH,
        "whether an earlier turn of the loop reported a hang-up",
        facts.hangup_known,
        "",
        True,
    ),
    Name("peer.closing", Type.TEXT, "what closed the other end, in words", facts.closing, "", True),
    Name("fd.answered", Type.TRUTH, "whether data of the peer came after the last write", facts.answered, "", True),
    Name("fd.datagram", Type.TRUTH, "whether the socket is one for datagrams", facts.datagram, "", True),
    Name("fd.listening", Type.TRUTH, "whether the socket accepts connections", _listening, "", True),
    Name("fd.local", Type.TEXT, "the own address of the socket", lambda it: _text(_local(it)), "", True),
    Name("fd.local.port", Type.NUMBER, "its port", lambda it: _port(_local(it)), "", True),
    Name(
        "fd.peer",
        Type.TEXT,
        "the other end; of a failed connect, what it names",
        lambda it: _text(_peer(it)),
        "",
        True,
    ),
    Name("fd.peer.host", Type.TEXT, "its host", lambda it: _text(_host(_peer(it))), "", True),
    Name("fd.peer.port", Type.NUMBER, "its port", lambda it: _port(_peer(it)), "", True),
    Name("process.pid", Type.NUMBER, "the pid of the process, not of the thread", _pid, "", True),
    Name("process.comm", Type.TEXT, "the file name of its program, at most 15 characters", _comm, "", True),
    Name("process.program", Type.TEXT, "the path of its program", lambda it: _text(_program(it)), "", True),
    Name("process.command", Type.TEXT, "its arguments, joined by blanks", _command, "", True),
    Name("process.uid", Type.NUMBER, "its effective user, once the trace shows it", _uid, "", True),
    Name("process.filtered", Type.TRUTH, "whether the trace shows its seccomp filter", _filtered, "", True),
    Name(
        *("process.itself", Type.TRUTH, "whether a signal is sent to the process itself", _to_itself, "", True),
        lambda: KILLS,
    ),
    *(
        Name(f"process.limit.{name}", Type.NUMBER, f"its limit on {what}", _limit(f"RLIMIT_{name.upper()}"), unit, True)
        for name, unit, what in _LIMITS
    ),
)

NAMES: dict[str, Name] = {each.name: each for each in _ALL}
"""All names; arguments, `arg("flags")`, are beside them."""


def shown(value: Any) -> str:
    """Return a value that a name has read as text: for grouping, and to say why a query matches."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | str):
        return str(value)
    if isinstance(value, Syscall | Begun):
        return f"line {value.line}"
    if (text := text_of(value)) is not None:
        return str(text)
    if names := names_of(value):
        return "|".join(sorted(names))
    number = number_of(value)
    return "" if number is None else str(number)
