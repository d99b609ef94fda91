"""Requests are found in the bytes however these are split."""

import pytest

from tracediag.epollserver.client import request
from tracediag.epollserver.request import HEAD_LIMIT, BadRequestError, RequestReader


def read(*pieces: bytes) -> list[str]:
    reader = RequestReader()
    targets = []
    for piece in pieces:
        reader.feed(piece)
        while found := reader.next():
            targets.append(found.target)
    return targets


def test_one_byte_at_a_time() -> None:
    data = request("/a") + request("/b", method="POST", body=b"GET /no HTTP/1.1\r\n\r\n") + request("/c")
    assert read(*(data[at : at + 1] for at in range(len(data)))) == ["/a", "/b", "/c"]


def test_all_requests_in_one_packet() -> None:
    body = b"x" * 100_000
    assert read(request("/a") + request("/b", method="PUT", body=body) + request("/c")) == ["/a", "/b", "/c"]


def test_a_request_is_complete_only_with_its_body() -> None:
    data = request("/a", method="POST", body=b"body")
    assert read(data[:-1]) == []
    assert read(data[:-1], data[-1:]) == ["/a"]


def test_empty_lines_before_a_request_are_ignored() -> None:
    assert read(b"\r\n\r\n" + request("/a")) == ["/a"]


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("1.1", "", True),
        ("1.1", "Connection: close\r\n", False),
        ("1.1", "Connection: Upgrade, CLOSE\r\n", False),
        ("1.0", "", False),
        ("1.0", "Connection: Keep-Alive\r\n", True),
    ],
)
def test_keep_alive(version: str, connection: str, kept: bool) -> None:
    reader = RequestReader()
    reader.feed(f"GET / HTTP/{version}\r\nHost: x\r\n{connection}\r\n".encode())
    found = reader.next()
    assert found
    assert found.keeps_alive is kept


def test_a_body_held_back_is_asked_for_once() -> None:
    reader = RequestReader()
    reader.feed(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert reader.next() is None
    assert [reader.take_expectation(), reader.take_expectation()] == [True, False]
    reader.feed(b"abc")
    assert reader.next()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"gibberish\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"GET /" + b"x" * HEAD_LIMIT, 431),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    ],
)
def test_malformed_requests_are_refused(data: bytes, status: int) -> None:
    with pytest.raises(BadRequestError) as caught:
        read(data)
    assert caught.value.status == status
