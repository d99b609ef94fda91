"""A client of the server, well-behaved or not: every wait is bounded, and every answer is read to its last byte."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple, Self

PATIENCE = 2.0
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with a timeout of 0: close sends RST (socket(7))


class BadAnswerError(Exception):
    """An answer that violates HTTP or does not match the request."""


class Answer(NamedTuple):
    """One answer, as received; `chunks` holds the chunks of the body."""

    status: int
    headers: dict[str, str]
    chunks: tuple[bytes, ...]

    @property
    def body(self) -> bytes:
        """The body in one piece."""
        return b"".join(self.chunks)

    def must_be(self, body: bytes, status: int = 200) -> None:
        """Raise `BadAnswerError` for any other answer."""
        if (self.status, self.body) != (status, body):
            message = f"{self.status} with {len(self.body)} bytes in place of {status} with {len(body)}"
            raise BadAnswerError(message)


class Client:
    """One connection to the server on 127.0.0.1."""

    def __init__(self, port: int, patience: float = PATIENCE, receive_buffer: int = 0) -> None:
        self.sock = socket.socket()
        self.sock.settimeout(patience)
        if receive_buffer:  # set before connect, which fixes the window size (tcp(7))
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.sock.connect(("127.0.0.1", port))
        except OSError:
            self.sock.close()
            raise
        self.incoming = self.sock.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Send raw bytes."""
        self.sock.sendall(data)

    def ask(self, *targets: str) -> None:
        """Send requests, several in one call, without waiting for answers."""
        self.send(b"".join(request(target) for target in targets))

    def answer(self) -> Answer:
        """Read the next answer."""
        return read_answer(self.incoming)

    def get(self, target: str) -> Answer:
        """Send a request and read the answer."""
        self.ask(target)
        return self.answer()

    def half_close(self) -> None:
        """Shut down the write side: no further requests follow."""
        self.sock.shutdown(socket.SHUT_WR)

    def ended(self) -> bool:
        """Wait for the server's FIN; return False if there is data before it."""
        return not self.incoming.read(1)

    def ask_and_leave(self, target: str) -> None:
        """Send a request and close in one packet (MSG_MORE, send(2)), so that the server cannot answer in between."""
        self.sock.send(request(target), socket.MSG_MORE)
        self.close()

    def reset(self) -> None:
        """Close with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.incoming.close()
        self.sock.close()


@contextmanager
def several(count: int, port: int, patience: float = PATIENCE) -> Iterator[list[Client]]:
    """Open many connections."""
    clients: list[Client] = []
    try:
        clients.extend(Client(port, patience) for _ in range(count))
        yield clients
    finally:
        for client in clients:
            client.close()


def request(target: str, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
    """Return the bytes of a request."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


def read_answer(incoming: BinaryIO) -> Answer:
    """Read one answer and no byte more."""
    status = read_line(incoming).split(" ")[1]
    headers = dict(read_headers(incoming))
    if headers.get("transfer-encoding") == "chunked":
        chunks = tuple(read_chunks(incoming))
    else:
        chunks = (read_exactly(incoming, int(headers.get("content-length", "0"))),)
    return Answer(int(status), headers, chunks)


def read_headers(incoming: BinaryIO) -> Iterator[tuple[str, str]]:
    """Yield the headers up to the empty line."""
    while line := read_line(incoming):
        name, _, value = line.partition(": ")
        yield name.lower(), value


def read_chunks(incoming: BinaryIO) -> Iterator[bytes]:
    """Yield the chunks up to the empty one."""
    while size := int(read_line(incoming), 16):
        yield read_exactly(incoming, size)
        read_end_of_chunk(incoming)
    read_end_of_chunk(incoming)


def read_end_of_chunk(incoming: BinaryIO) -> None:
    """Read the line break that ends a chunk."""
    if line := read_line(incoming):
        raise BadAnswerError(f"{line!r} where a chunk ends")


def read_line(incoming: BinaryIO) -> str:
    """Read a line, without its line break."""
    line = incoming.readline()
    if not line.endswith(b"\r\n"):
        raise BadAnswerError(f"cut off after {line!r}")
    return line[:-2].decode("ascii")


def read_exactly(incoming: BinaryIO, size: int) -> bytes:
    """Read exactly as many bytes as announced."""
    data = incoming.read(size)
    if len(data) < size:
        raise BadAnswerError(f"cut off after {len(data)} of {size} bytes")
    return data
