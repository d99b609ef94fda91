"""Decodes DNS messages as far as strace shows them: RFC 1035, section 4."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

from tracediag.trace.events import Syscall
from tracediag.trace.values import Text, walk

_HEADER = struct.Struct(">HHHHHH")
_RESPONSE = 0x8000
_OPCODE = 0x7800
_TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 65: "HTTPS"}
_A, _AAAA = 1, 28
_SIZES = {_A: 4, _AAAA: 16}
"""Bytes of an address, by the type of its record."""
_POINTER = 0xC0
_MOST_ANSWERS = 64
_COUNTS = (r"\0\1\0\0\0\0\0", r"\x00\x01\x00\x00\x00\x00\x00")
"""One question, no answer, no authority: the header counts of nearly every query, as strace prints them."""

UNKNOWN = "a name"
"""What stands for the name of a query that the recording does not show."""


class Message(msgspec.Struct, frozen=True):
    """A DNS query or answer."""

    id: int
    name: str
    """The name in question; it ends in "..." where strace has cut it off."""
    type: str | None
    """"A", "AAAA", ...; None if truncated."""
    response: bool


def looks_like_query(call: Syscall) -> bool:
    """Whether a call may hold a DNS query: cheaper than decoding it."""
    return any(counts in call.body for counts in _COUNTS)


def unread(call: Syscall) -> Message:
    """Return what is known of a query that strace truncated before the name."""
    data = next((value.data for arg in call.args[1:] for value in walk(arg) if isinstance(value, Text)), b"")
    return Message(int.from_bytes(data[:2], "big"), UNKNOWN, None, response=False)


def messages(call: Syscall) -> Iterator[Message]:
    """Yield the DNS messages that a call sends or receives."""
    for arg in call.args[1:]:
        for value in walk(arg):
            if isinstance(value, Text) and (found := decode(value.data, shortened=value.shortened)) is not None:
                yield found


def decode(data: bytes, *, shortened: bool = False, framed: bool = False) -> Message | None:
    """Decode a message; None for other data. Over TCP the length of a message precedes it."""
    if len(data) < _HEADER.size + 2:
        return None
    number, flags, questions, answers, authorities, _ = _HEADER.unpack_from(data)
    if questions != 1 or flags & _OPCODE or (not flags & _RESPONSE and (answers or authorities)):
        return None if framed else _framed(data, shortened=shortened)
    return _question(data, number, response=bool(flags & _RESPONSE), shortened=shortened)


def answers(data: bytes) -> Iterator[str]:
    """Yield the addresses that an answer gives for the name in question, as far as its bytes are shown."""
    found = decode(data)
    if found is None or not found.response:
        return
    base = 0 if decode(data, framed=True) is not None else 2
    place = _after_name(data, base + _HEADER.size) + 4
    for _ in range(min(int.from_bytes(data[base + 6 : base + 8], "big"), _MOST_ANSWERS)):
        place = _after_name(data, place)
        kind, size = int.from_bytes(data[place : place + 2], "big"), int.from_bytes(data[place + 8 : place + 10], "big")
        address = data[place + 10 : place + 10 + size]
        if len(address) == size == _SIZES.get(kind):
            yield _shown(address)
        place += 10 + size


def _shown(address: bytes) -> str:
    """Return an IPv4 or IPv6 address as text."""
    import socket  # noqa: PLC0415  # few traces hold answers

    return socket.inet_ntop(socket.AF_INET if len(address) == _SIZES[_A] else socket.AF_INET6, address)


def _after_name(data: bytes, place: int) -> int:
    """Return where a name ends: after its last label, or after the pointer to the rest."""
    while place < len(data) and 0 < data[place] < _POINTER:
        place += 1 + data[place]
    return place + (2 if place < len(data) and data[place] >= _POINTER else 1)


def _framed(data: bytes, *, shortened: bool) -> Message | None:
    size, rest = int.from_bytes(data[:2], "big"), len(data) - 2
    fits = size > rest if shortened else size == rest
    return decode(data[2:], shortened=shortened, framed=True) if fits else None


def _question(data: bytes, number: int, *, response: bool, shortened: bool) -> Message | None:
    labels: list[str] = []
    place = _HEADER.size
    while place < len(data) and (length := data[place]) != 0:
        label = data[place + 1 : place + 1 + length]
        if length > 63 or not all(0x21 <= byte < 0x7F for byte in label):
            return None
        labels.append(label.decode("ascii"))
        place += 1 + length
    name = ".".join(labels)
    if place >= len(data):
        return Message(number, f"{name}...", None, response) if shortened and labels else None
    kind = data[place + 1 : place + 3]
    known = _TYPES.get(int.from_bytes(kind, "big")) if len(kind) == 2 else None
    return Message(number, name or ".", known, response)
