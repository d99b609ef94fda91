"""Calls that move data: read(2), write(2), recv(2), send(2), sendfile(2) and similar."""

from __future__ import annotations

import re

from tracediag.kernel.action import Action
from tracediag.kernel.calls.subject import subject
from tracediag.kernel.descriptor import AtEnd, Descriptor, Kind, OpenFile
from tracediag.kernel.handlers import handles
from tracediag.kernel.learning import as_pipe, as_socket
from tracediag.kernel.process import Process
from tracediag.trace.calls import (
    FILE_READS,
    FILE_WRITES,
    FSYNCS,
    MESSAGE_RECEIVES,
    MESSAGE_SENDS,
    MOVES,
    POSITIONED,
    RANGE_SYNCS,
    RECEIVES,
    SENDFILES,
    SENDS,
    VECTORS,
)
from tracediag.trace.events import Syscall
from tracediag.trace.values import Array, Structure, number_of

BROKEN = frozenset({"EPIPE", "ECONNRESET"})
"""The peer is gone: no more data can be sent on this connection."""

_STDERR = 2
FAILURE = re.compile(r"\b(?:cannot|can't|could not|couldn't|unable to|failed|failure)\b", re.IGNORECASE)
"""Words with which programs report a failure, in whatever form."""
_REFUSAL = re.compile(r"HTTP/1\.[01] [45][0-9][0-9]")
"""How the head of a reply with an error begins: RFC 9112."""
_UNKNOWN = Kind.UNKNOWN
_FILE = Kind.FILE
_OF_SYSTEM = ('"/usr/', '"/lib', '"/proc/', '"/sys/', '"/dev/', '.py"', '.pyc"')
"""What the opening call of a file shows that is no input of the program, but part of it or of the system."""
_SOCKET_ERRORS = frozenset({"ECONNRESET", "ECONNREFUSED", "ENOTCONN", "EHOSTUNREACH", "ENETUNREACH", "EDESTADDRREQ"})
"""Errors of read and write that only sockets have."""
_QUERIES = (r"\1\0\0\1\0\0\0\0\0", r"\1 \0\1\0\0\0\0\0")
"""The flags and counts of nearly every DNS query, as strace prints them: RFC 1035, section 4.1.1."""


def asked(call: Syscall) -> int | None:
    """Return how many bytes a read or write requested, or None if the trace does not show it."""
    if call.name in VECTORS:
        return _vector(call.arg(1))
    if call.name in ("recvmsg", "sendmsg"):
        header = call.arg(1)
        return _vector(header.get("msg_iov")) if isinstance(header, Structure) else None
    return call.number(2)


def _vector(value: object) -> int | None:
    if not isinstance(value, Array) or not value.complete:
        return None
    total = 0
    for item in value.items:
        length = _length(item) if isinstance(item, Structure) else None
        if length is None:
            return None
        total += length
    return total


def _length(item: Structure) -> int | None:
    named = item.get("iov_len")
    if named is not None:
        return number_of(named)
    return number_of(item.fields[1][1]) if len(item.fields) == 2 else None


@handles(*FILE_READS)
def read(action: Action, call: Syscall) -> None:
    """Read from a file, pipe or device; for a socket see `receive`."""
    descriptor = subject(action, call)
    if descriptor is not None:
        _received(action, descriptor.file, call)


@handles(*RECEIVES - MESSAGE_RECEIVES)
def receive(action: Action, call: Syscall) -> None:
    """Receive data, the end of the stream, or an error that the peer is gone; `passing` does so for recvmsg."""
    descriptor = subject(action, call)
    if descriptor is None:
        return
    if call.errno != "ENOTSOCK":
        as_socket(descriptor.file)
    _received(action, descriptor.file, call)


def _received(action: Action, file: OpenFile, call: Syscall) -> None:
    if file.kind is _UNKNOWN and call.errno in _SOCKET_ERRORS:
        as_socket(file)
    socket = file.socket
    if socket is None:
        if call.result == 0:
            _count_empty_read(action, file, call)
        else:
            if file.at_end is not None:
                file.more()
            if (call.result or 0) > 0:  # one that has not returned took nothing out
                if file.got is None and file.kind is _FILE and _is_own(file):
                    action.process.find_content(file)
                file.got = call
        return
    if call.errno in BROKEN and socket.broken is None:
        socket.broken = call
    elif call.result == 0 and asked(call) != 0 and socket.stream is not False and socket.ended is None:
        socket.ended = call
    elif call.result is not None and call.result > 0:
        socket.last_read = call


def _is_own(file: OpenFile) -> bool:
    """Whether a file is the program's, and not one of those that each program reads: libraries, locales, /proc."""
    opened = file.opened
    return opened is not None and not any(folder in opened.body for folder in _OF_SYSTEM)


def _count_empty_read(action: Action, file: OpenFile, call: Syscall) -> None:
    """Count reads in a row that returned 0 bytes; a read of 0 bytes does not count."""
    if call.body.endswith(", 0"):
        return
    end = file.at_end
    if end is None:
        file.at_end = AtEnd(call, call, action.thread.waits, action.thread.waits)
        if file.got is None and (file.kind is Kind.FILE or (file.kind is Kind.UNKNOWN and file.opened is None)):
            action.process.find_empty(file)
    else:
        end.second = end.second or call
        end.last = call
        end.after = action.thread.waits
        end.times += 1


def _shows_socket(call: Syscall) -> bool:
    """Whether a write can only be one on a socket: by its error, or because its data is a DNS query."""
    return call.errno in _SOCKET_ERRORS or any(header in call.body for header in _QUERIES)


@handles(*FILE_WRITES, *SENDS - MESSAGE_SENDS)
def transmit(action: Action, call: Syscall) -> None:
    """Record data that the kernel accepted, or an error that the peer is gone; `passing` does so for sendmsg."""
    descriptor = subject(action, call)
    if descriptor is None:
        return
    unknown = descriptor.file.kind is _UNKNOWN and _shows_socket(call)
    if unknown or (call.name in SENDS and call.errno != "ENOTSOCK"):
        as_socket(descriptor.file)
    if descriptor.number == _STDERR or descriptor.copy_of is not None:
        _record_message(action, descriptor, call)
    elif descriptor.file.socket is None and (last := action.thread.last_call) is not None and last.errno is not None:
        _record_complaint(action, call)
    _wrote(descriptor, call, action.process)


def _record_message(action: Action, descriptor: Descriptor, call: Syscall) -> None:
    """Record a message written to fd 2, or to the read-write dup of it through which perror(3) writes."""
    original = descriptor.copy_of
    maker = descriptor.opened
    copied = original is not None and original.number == _STDERR and maker is not None and maker.name == "dup"
    if descriptor.number == _STDERR or copied:
        action.process.messages.append(call)


def _record_complaint(action: Action, call: Syscall) -> None:
    """Record what a program writes elsewhere, as to a log, directly after a failed call, if it speaks of a failure."""
    if FAILURE.search(call.body) is not None:
        action.process.messages.append(call)


@handles(*MOVES - {"tee"})  # tee copies from pipe to pipe and consumes nothing
def send_file(action: Action, call: Syscall) -> None:
    """Record data moved inside the kernel; the first argument of sendfile, the third of the others, is written to."""
    if call.name == "splice":
        subject(action, call)
    source = action.process.table.file_of(call.number(1 if call.name in SENDFILES else 0))
    if source is not None and (call.result or 0) > 0:
        source.got = call
    descriptor = subject(action, call, 0 if call.name in SENDFILES else 2)
    if descriptor is not None:
        _wrote(descriptor, call, action.process)


@handles(*POSITIONED)
def positioned(action: Action, call: Syscall) -> None:
    """Resolve the descriptor of a transfer at an offset of its own: the file offset does not change, pread(2)."""
    subject(action, call)


@handles("tee")
def tee(action: Action, call: Syscall) -> None:
    """Record that both descriptors are pipes, read from and written to: tee(2)."""
    for place in (1, 0):
        descriptor = subject(action, call, place)
        if descriptor is not None and not call.failed and descriptor.file.kind in (_UNKNOWN, Kind.PIPE):
            as_pipe(descriptor.file, writing=bool(place))


@handles("vmsplice")
def vmsplice(action: Action, call: Syscall) -> None:
    """Record that the descriptor is a pipe; the call works on either end: vmsplice(2)."""
    descriptor = subject(action, call)
    if descriptor is not None and not call.failed and descriptor.file.kind is _UNKNOWN:
        descriptor.file.kind = Kind.PIPE


@handles(*FSYNCS, *RANGE_SYNCS, "syncfs")
def sync(action: Action, call: Syscall) -> None:
    """Resolve the descriptor of an fsync; the call changes nothing of it that a program could see."""
    subject(action, call)


@handles("flock")
def flock(action: Action, call: Syscall) -> None:
    """Record the lock of an open file description: flock(2)."""
    descriptor = subject(action, call)
    if descriptor is not None and call.result == 0:
        descriptor.file.locked = None if call.has("LOCK_UN") else (call, action.process)


def _wrote(descriptor: Descriptor, call: Syscall, process: Process) -> None:
    file = descriptor.file
    if file.socket is not None:
        if call.errno in BROKEN and file.socket.broken is None:
            file.socket.broken = call
        elif call.result is not None and call.result > 0:
            socket = file.socket
            wrote, read = socket.last_write, socket.last_read
            if wrote is None or (read is not None and read.line > wrote.line):
                socket.reply = call
                if process.failures and _REFUSAL.search(call.body) is not None:
                    process.note_refusal(call, 0 if read is None else read.line)
            socket.last_write = call
    elif call.errno is None:
        if call.result:
            file.written = call
            file.taken += call.result
    elif call.errno == "EPIPE" and file.kind is not Kind.SOCKET and file.pipe is not None:
        end = as_pipe(file, writing=True)
        end.pipe.broken = end.pipe.broken or call
