"""DNS messages are read as far as strace shows them; what is none is left alone."""

from __future__ import annotations

import pytest

from tracediag.evidence.dns import Message, decode

QUERY = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03org\x00\x00\x1c\x00\x01"


def test_query() -> None:
    assert decode(QUERY) == Message(0x1234, "www.example.org", "AAAA", response=False)


def test_answer() -> None:
    answer = QUERY[:2] + b"\x81\x83" + QUERY[4:]
    assert decode(answer) == Message(0x1234, "www.example.org", "AAAA", response=True)


def test_over_tcp_its_length_comes_first() -> None:
    assert decode(len(QUERY).to_bytes(2, "big") + QUERY) == decode(QUERY)


@pytest.mark.parametrize(("length", "name"), [(18, "www.e..."), (28, "www.example.org..."), (30, "www.example.org")])
def test_cut_off(length: int, name: str) -> None:
    message = decode(QUERY[:length], shortened=True)
    assert message is not None
    assert (message.name, message.type) == (name, None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET / HTTP/1.0\r\n\r\n",
        b"reading 17: 21.5",
        b"\0\1" * 5000,  # each pair may be taken for the length of what follows
        QUERY[:12] + b"\x7f" + b"x" * 200,
        QUERY[:12] + b"\x03a\nb\x00\x00\x01\x00\x01",
    ],
)
def test_no_message(data: bytes) -> None:
    assert decode(data) is None
