"""What ends a read or a write: data, room, or the end of the peer."""

from __future__ import annotations

from itertools import islice

from tracediag.evidence.names import process_name
from tracediag.evidence.questions import is_terminal, question_for
from tracediag.evidence.waits import Standing
from tracediag.kernel.descriptor import Kind, OpenFile
from tracediag.kernel.socket import Socket
from tracediag.trace.events import Syscall
from tracediag.trace.values import Text, note_of, text_of

_OF_THE_KERNEL = ("/proc/", "/sys/", "/dev/")
_NAMED = 3
"""Processes that are named as holders of an end."""


def of_read(standing: Standing) -> str:
    """Return what ends a read: data, an answer of the peer, input of a terminal."""
    held = standing.held
    if held is None:  # closed since: the note of `-yy` still tells the peer
        peer = (note_of(standing.call.arg(0)) or "").partition("->")[2].rstrip("]")
        return f"it waits for data: the peer {peer} sends nothing" if peer else "it waits for data"
    file = held.file
    if file.socket is not None:
        return _answer(file.socket)
    if file.pipe is not None or file.kind is Kind.PIPE:
        ends = _ends(standing, file)
        return f"it waits until data is written into the pipe or all its write ends are closed{ends}"
    if (question := question_for(standing, file)) is not None:
        return f"it waits for {question.awaited}"
    if is_terminal(file):
        return "it waits for input on the terminal"
    if file.kind is Kind.FILE and not (file.path or "").startswith(_OF_THE_KERNEL):
        return "it waits for the device or file server: the read of a file waits for nothing else"
    return f"it waits until fd {held.number} has something to read"


def _answer(socket: Socket) -> str:
    peer = f"peer {socket.peer}" if socket.peer else "peer"
    if socket.last_write is not None and (socket.last_read is None or socket.last_read.line < socket.last_write.line):
        sent = socket.last_write
        asked = _asked(sent)
        return f"it waits for an answer: the {peer} sends nothing after the request at line {sent.line:,}{asked}"
    return f"it waits for data: the {peer} sends nothing"


def _asked(sent: Syscall) -> str:
    """Return what a request asks for, where its protocol is known: " (Redis BLPOP jobs)"."""
    from tracediag.evidence.requests import request_of  # noqa: PLC0415  # most traces do not end in such a read

    text = text_of(sent.arg(1))
    asked = request_of(text.data, shortened=text.shortened) if isinstance(text, Text) else None
    return f" ({asked})" if asked else ""


def _ends(standing: Standing, file: OpenFile) -> str:
    """Name the processes that have the other end of a pipe open."""
    other = None if file.pipe is None else file.pipe.other
    if other is None:
        return ""
    holders = list(
        islice(
            (each for each in standing.kernel.processes if each.exit is None and each.table.numbers_of(other)),
            _NAMED + 1,
        )
    )
    if not holders and standing.process.exit is not None:
        return ""  # those that had it open may have ended by the same signal
    if not holders:
        return "; no traced process has the other end open"
    names = ", ".join(process_name(each) for each in holders[:_NAMED])
    return f"; the other end is open in {names}{' and others' if len(holders) > _NAMED else ''}"


def of_write(standing: Standing) -> str:
    """Return what ends a write: a reader, or room in the buffer of the peer."""
    held = standing.held
    if held is None:
        return "it waits until the other end reads"
    if held.file.pipe is not None or held.file.kind is Kind.PIPE:
        return f"the pipe is full: it waits until the other end is read or closed{_ends(standing, held.file)}"
    if held.file.socket is not None:
        peer = f"peer {held.file.socket.peer}" if held.file.socket.peer else "peer"
        return f"the send buffer is full: it waits until the {peer} reads"
    return f"it waits until fd {held.number} accepts the data"
