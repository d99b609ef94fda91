"""A client of the server, polite or not: every wait is bounded, and every answer is read to its last byte."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple, Self

PATIENCE = 2.0
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with no time to linger: close sends RST (socket(7))


class BadAnswerError(Exception):
    """An answer that is not what HTTP, or the request, calls for."""


class Answer(NamedTuple):
    """One answer, as received; `chunks` holds the body's parts as they were framed."""

    status: int
    headers: dict[str, str]
    chunks: tuple[bytes, ...]

    @property
    def body(self) -> bytes:
        """The body in one piece."""
        return b"".join(self.chunks)

    def must_be(self, body: bytes, status: int = 200) -> None:
        """Complain of any other answer."""
        if (self.status, self.body) != (status, body):
            message = f"{self.status} with {len(self.body)} bytes in place of {status} with {len(body)}"
            raise BadAnswerError(message)


class Client:
    """One connection to the server on 127.0.0.1."""

    def __init__(self, port: int, patience: float = PATIENCE, receive_buffer: int = 0) -> None:
        self.sock = socket.socket()
        self.sock.settimeout(patience)
        if receive_buffer:  # the window is chosen at connect: set before (tcp(7))
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
        """Send bytes as they are."""
        self.sock.sendall(data)

    def ask(self, *targets: str) -> None:
        """Send requests, several in one go, without awaiting answers."""
        self.send(b"".join(request(target) for target in targets))

    def answer(self) -> Answer:
        """Read the next answer."""
        return read_answer(self.incoming)

    def get(self, target: str) -> Answer:
        """Ask and read the answer."""
        self.ask(target)
        return self.answer()

    def half_close(self) -> None:
        """Say that nothing more will be asked."""
        self.sock.shutdown(socket.SHUT_WR)

    def ended(self) -> bool:
        """Wait for the server's end; false if there is data before it."""
        return not self.incoming.read(1)

    def ask_and_leave(self, target: str) -> None:
        """Ask and leave in one packet (MSG_MORE, send(2)), so that the server cannot answer in between."""
        self.sock.send(request(target), socket.MSG_MORE)
        self.close()

    def reset(self) -> None:
        """Leave without a farewell: RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.close()

    def close(self) -> None:
        """Leave."""
        self.incoming.close()
        self.sock.close()


@contextmanager
def several(count: int, port: int, patience: float = PATIENCE) -> Iterator[list[Client]]:
    """Open many connections at once."""
    clients: list[Client] = []
    try:
        clients.extend(Client(port, patience) for _ in range(count))
        yield clients
    finally:
        for client in clients:
            client.close()


def request(target: str, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
    """Write a request."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


def read_answer(incoming: BinaryIO) -> Answer:
    """Read one answer and not a byte more."""
    status = read_line(incoming).split(" ")[1]
    headers = dict(read_headers(incoming))
    if headers.get("transfer-encoding") == "chunked":
        chunks = tuple(read_chunks(incoming))
    else:
        chunks = (read_exactly(incoming, int(headers.get("content-length", "0"))),)
    return Answer(int(status), headers, chunks)


def read_headers(incoming: BinaryIO) -> Iterator[tuple[str, str]]:
    """Read headers up to the empty line."""
    while line := read_line(incoming):
        name, _, value = line.partition(": ")
        yield name.lower(), value


def read_chunks(incoming: BinaryIO) -> Iterator[bytes]:
    """Read chunks up to the empty one."""
    while size := int(read_line(incoming), 16):
        yield read_exactly(incoming, size)
        read_end_of_chunk(incoming)
    read_end_of_chunk(incoming)


def read_end_of_chunk(incoming: BinaryIO) -> None:
    """Read the line end that closes a chunk."""
    if line := read_line(incoming):
        raise BadAnswerError(f"{line!r} where a chunk ends")


def read_line(incoming: BinaryIO) -> str:
    """Read a line, without its end."""
    line = incoming.readline()
    if not line.endswith(b"\r\n"):
        raise BadAnswerError(f"cut off after {line!r}")
    return line[:-2].decode("ascii")


def read_exactly(incoming: BinaryIO, size: int) -> bytes:
    """Read as many bytes as were announced."""
    data = incoming.read(size)
    if len(data) < size:
        raise BadAnswerError(f"cut off after {len(data)} of {size} bytes")
    return data
