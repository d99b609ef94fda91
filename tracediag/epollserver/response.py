"""The server's answers: each is a list of pieces, and each piece is sent by one call."""

import time
from functools import cache
from typing import NamedTuple

from .request import Request

GREETING = b"hello from a server on epoll\n"
STREAMED = (b"first part\n" * 90, b"second part\n" * 90, b"the end\n")
# More than the socket buffers of both ends hold; the line length is prime, so that a lost piece is always noticed.
BIG_LINE = b"%-250d\n" % 251
BIG_LINES = 33_500
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
METHODS = ("GET", "HEAD", "POST", "PUT")
REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    411: "Length Required",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    505: "HTTP Version Not Supported",
}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Response(NamedTuple):
    """An answer ready to send, and whether the connection remains open after it."""

    status: int
    pieces: tuple[bytes, ...]
    keeps_alive: bool


def respond(request: Request) -> Response:
    """Answer a request."""
    if request.method not in METHODS:
        return plain(501, b"", request)
    match request.target:
        case "/":
            return plain(200, GREETING, request)
        case "/big":
            return plain(200, big(), request)
        case "/stream" if request.version == "HTTP/1.0":  # HTTP/1.0 has no chunks
            return plain(200, b"".join(STREAMED), request)
        case "/stream":
            return chunked(STREAMED, request)
        case _:
            return plain(404, b"no such page\n", request)


def refuse(status: int) -> Response:
    """Return the answer to a malformed request; no later request can be parsed."""
    return Response(status, (head(status, "Content-Length: 0", keeps_alive=False),), keeps_alive=False)


def plain(status: int, body: bytes, request: Request) -> Response:
    """Return an answer with a known length, head and body in one piece unless the body is large."""
    start = head(status, f"Content-Length: {len(body)}", keeps_alive=request.keeps_alive)
    if request.method == "HEAD":
        body = b""
    pieces = (start + body,) if len(body) < 4096 else (start, body)
    return Response(status, pieces, request.keeps_alive)


def chunked(parts: tuple[bytes, ...], request: Request) -> Response:
    """Return an answer in chunks: the head is one piece, each chunk another (RFC 9112, 7.1)."""
    start = head(200, "Transfer-Encoding: chunked", keeps_alive=request.keeps_alive)
    chunks = () if request.method == "HEAD" else tuple(chunk(part) for part in (*parts, b""))
    return Response(200, (start, *chunks), request.keeps_alive)


def chunk(data: bytes) -> bytes:
    """Frame one chunk; an empty one is the last."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def head(status: int, framing: str, *, keeps_alive: bool) -> bytes:
    """Return the head of an answer."""
    connection = "keep-alive" if keeps_alive else "close"
    lines = (
        f"HTTP/1.1 {status} {REASONS[status]}",
        f"Date: {date(time.time())}",
        "Content-Type: text/plain",
        framing,
        f"Connection: {connection}",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii")


def date(seconds: float) -> str:
    """Return a date in HTTP format, in English in any locale (RFC 9110, 5.6.7)."""
    at = time.gmtime(seconds)
    day = f"{DAYS[at.tm_wday]}, {at.tm_mday:02} {MONTHS[at.tm_mon - 1]} {at.tm_year}"
    return f"{day} {at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} GMT"


@cache
def big() -> bytes:
    """Return the body of `/big`."""
    return BIG_LINE * BIG_LINES
