"""The data of a read or write as the trace shows it, with the gaps that strace left where it cut a string (-s)."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.kernel.socket import format_address
from tracediag.results.following import Chunk, Piece
from tracediag.trace.calls import (
    BATCHES,
    MESSAGE_RECEIVES,
    MESSAGE_SENDS,
    MOVES,
    POSITIONED_READS,
    POSITIONED_WRITES,
    READS,
    VECTORS,
    WRITES,
)
from tracediag.trace.events import Syscall
from tracediag.trace.values import Array, Structure, Value, bare, items_of, number_of, text_of

_READING = READS | POSITIONED_READS
_WRITING = WRITES | POSITIONED_WRITES
_MESSAGES = MESSAGE_RECEIVES | MESSAGE_SENDS


def chunk_of(call: Syscall, *, moved_to: bool | None = None) -> Chunk | None:
    """Return the data that a call moved; None if it moved none.

    `moved_to` is for calls that move data inside the kernel: whether this object is the target.
    """
    if call.result is None or call.result <= 0:
        return None
    if call.name in MOVES:
        return None if moved_to is None else _chunk(call, moved_to, (Piece(b"", call.result),))
    if call.name not in _READING and call.name not in _WRITING:
        return None
    if call.name in BATCHES:
        pieces = tuple(piece for header in items_of(call.arg(1)) for piece in _batched(bare(header)))
    else:
        pieces = tuple(_limited(_buffers(call), call.result))
    return _chunk(call, call.name in _WRITING, pieces, _address(call))


def _chunk(call: Syscall, written: bool, pieces: tuple[Piece, ...], address: str | None = None) -> Chunk:
    return Chunk(
        line=call.end_line or call.line,
        pid=call.pid,
        time=call.time if call.end_time is None or written else call.end_time,
        written=written,
        pieces=pieces,
        address=address,
    )


def _buffers(call: Syscall) -> Iterator[tuple[bytes, int | None]]:
    """Yield the shown bytes of each buffer, with its length if that is known."""
    second = bare(call.arg(1))
    if call.name in _MESSAGES:
        second = bare(second.get("msg_iov")) if isinstance(second, Structure) else None
    if call.name in VECTORS or call.name in _MESSAGES:
        yield from _vector(second)
    elif (text := text_of(second)) is not None:
        yield text.data, None


def _vector(value: Value | None) -> Iterator[tuple[bytes, int | None]]:
    for item in value.items if isinstance(value, Array) else ():
        buffer = bare(item)
        if isinstance(buffer, Structure):
            text = text_of(buffer.get("iov_base"))
            yield (b"" if text is None else text.data), number_of(buffer.get("iov_len"))


def _limited(buffers: Iterator[tuple[bytes, int | None]], total: int) -> Iterator[Piece]:
    """Yield the pieces up to the number of bytes that the call moved; what no buffer shows is missing."""
    for data, length in buffers:
        if total <= 0:
            return
        size = total if length is None else min(length, total)
        shown = data[:size]
        yield Piece(shown, size - len(shown))
        total -= size
    if total > 0:
        yield Piece(b"", total)


def _batched(header: Value | None) -> Iterator[Piece]:
    """Yield the message of one entry of sendmmsg or recvmmsg."""
    if not isinstance(header, Structure):
        return
    message, length = bare(header.get("msg_hdr")), number_of(header.get("msg_len"))
    if isinstance(message, Structure) and length:
        yield from _limited(_vector(bare(message.get("msg_iov"))), length)


def _address(call: Syscall) -> str | None:
    """Return the address of a datagram: the last argument but one of sendto and recvfrom, msg_name of a message."""
    if call.name in ("sendto", "recvfrom"):
        return format_address(call.arg(4))
    header = bare(call.arg(1)) if call.name in _MESSAGES else None
    return format_address(header.get("msg_name")) if isinstance(header, Structure) else None
