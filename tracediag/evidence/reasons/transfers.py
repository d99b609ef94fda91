"""What ends a read or a write: data, room, or the end of the peer."""

from __future__ import annotations

from itertools import islice
from math import inf
from typing import TYPE_CHECKING

from tracediag.evidence.names import process_name
from tracediag.evidence.questions import is_terminal, question_for
from tracediag.evidence.waits import Standing
from tracediag.kernel.descriptor import Kind, OpenFile
from tracediag.kernel.socket import Socket
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import seconds
from tracediag.trace.values import Text, note_of, text_of

if TYPE_CHECKING:
    from tracediag.evidence.statements import Statement

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
    if is_asked(socket) and (sent := socket.last_write) is not None:
        statement = _statement(socket)
        if statement is not None and statement.until:
            return _asked_to_wait(statement, socket, sent)
        asked = "" if statement is None else statement.named
        asked = asked or _request(sent)
        said = f" ({asked})" if asked else ""
        return f"it waits for an answer: the {peer} sends nothing after the request at line {sent.line:,}{said}"
    return _news(socket) or f"it waits for data: the {peer} sends nothing"


def of_request(socket: Socket) -> str:
    """Return what a wait for data on a connection is for, if that is known: an answer to a request, or news."""
    if socket.accepted is not None or socket.last_write is None:
        return ""
    known = _request(socket.last_write) or _statement(socket) if is_asked(socket) else _news(socket)
    return _answer(socket) if known else ""


def asked_to_wait(socket: Socket) -> str:
    """Return what a peer waits for because it was asked to, or sends when there is some; "" if it owes an answer."""
    statement = _statement(socket)
    asked = statement is not None and (statement.until if is_asked(socket) else statement.news)
    return _answer(socket) if asked else ""


def owed(socket: Socket) -> str:
    """Return which request a peer owes an answer to: "the request at line 7 has no answer (Redis GET cart)"."""
    sent = socket.last_write
    if sent is None or socket.accepted is not None or not is_asked(socket):
        return ""
    statement = _statement(socket)
    named = _request(sent) if statement is None else statement.named
    return f"the request at line {sent.line:,} has no answer ({named})" if named else ""


def is_asked(socket: Socket) -> bool:
    """Whether the last transfer on a connection is a request without an answer."""
    sent, got = socket.last_write, socket.last_read
    return sent is not None and (got is None or got.line < sent.line)


def _statement(socket: Socket) -> Statement | None:
    from tracediag.evidence.statements import statement_in  # noqa: PLC0415  # most traces do not end in such a wait

    return None if socket.last_write is None or socket.accepted is not None else statement_in(socket.last_write)


def _asked_to_wait(statement: Statement, socket: Socket, sent: Syscall) -> str:
    at = f" at {socket.peer}" if socket.peer else ""
    longest = statement.longest
    limit = f", for at most {seconds(longest)}" if longest is not None and longest < inf else ""
    return (
        f"it waits for {statement.server}{at} to answer {statement.text} (line {sent.line:,}), which waits until"
        f" {statement.until}{limit}"
    )


def _news(socket: Socket) -> str:
    """Say which messages a client waits for that has asked for them, and has the answer to that."""
    statement = _statement(socket)
    if statement is None or not statement.news or socket.last_write is None:
        return ""
    return f"it waits for {statement.news}, as it asked for at line {socket.last_write.line:,}: {statement.text}"


def _request(sent: Syscall) -> str:
    """Return what a request asks for, where its protocol is known: "GET /a of shop.test"."""
    from tracediag.evidence.requests import request_of  # noqa: PLC0415  # most traces do not end in such a read

    text = text_of(sent.arg(1))
    asked = request_of(text.data, shortened=text.shortened) if isinstance(text, Text) else None
    return asked or ""


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
