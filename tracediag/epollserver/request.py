"""Parses requests from the bytes that a client sends, however they are split into packets."""

from typing import NamedTuple

HEAD_LIMIT = 16 * 1024
END_OF_HEAD = b"\r\n\r\n"
VERSIONS = ("HTTP/1.0", "HTTP/1.1")


class BadRequestError(Exception):
    """A malformed request: where the next one would begin is then unknown."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Request(NamedTuple):
    """One request, its body already skipped; header names are in lower case."""

    method: str
    target: str
    version: str
    headers: dict[str, str]

    @property
    def keeps_alive(self) -> bool:
        """Whether the client wants to keep the connection open (RFC 9112, 9.3)."""
        options = {option.strip().lower() for option in self.headers.get("connection", "").split(",")}
        return "close" not in options and (self.version == "HTTP/1.1" or "keep-alive" in options)

    @property
    def length(self) -> int:
        """How many bytes of body follow the head."""
        if "transfer-encoding" in self.headers:
            raise BadRequestError(411)  # RFC 9112, 6.3 allows a server to require a length
        value = self.headers.get("content-length", "0")
        if not (value.isascii() and value.isdigit() and len(value) < 16):
            raise BadRequestError(400)
        return int(value)

    @property
    def expects_continue(self) -> bool:
        """Whether the client sends its body only after `100 Continue` (RFC 9110, 10.1.1)."""
        return self.version == "HTTP/1.1" and self.headers.get("expect", "").lower() == "100-continue"


class RequestReader:
    """Receives bytes and yields complete requests, in order; bodies are skipped, not stored."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._current: Request | None = None
        self._body_left = 0
        self._continue_wanted = False

    def feed(self, data: bytes) -> None:
        """Append received bytes."""
        self._buffer += data

    def next(self) -> Request | None:
        """Return the next complete request, or None."""
        if self._current is None:
            self._begin()
        self._skip_body()
        if self._body_left:
            return None
        request, self._current = self._current, None
        return request

    def take_expectation(self) -> bool:
        """Return, once, whether the client waits for `100 Continue`."""
        wanted, self._continue_wanted = self._continue_wanted, False
        return wanted

    def _begin(self) -> None:
        head = self._take_head()
        if head is None:
            return
        self._current = parse_head(head)
        self._body_left = self._current.length
        self._continue_wanted = self._current.expects_continue and self._body_left > len(self._buffer)

    def _take_head(self) -> str | None:
        while self._buffer.startswith(b"\r\n"):  # RFC 9112, 2.2: an empty line before a request is ignored
            del self._buffer[:2]
        end = self._buffer.find(END_OF_HEAD, 0, HEAD_LIMIT)
        if end < 0:
            if len(self._buffer) >= HEAD_LIMIT:
                raise BadRequestError(431)
            return None
        head = self._buffer[:end].decode("latin-1")
        del self._buffer[: end + len(END_OF_HEAD)]
        return head

    def _skip_body(self) -> None:
        skipped = min(self._body_left, len(self._buffer))
        del self._buffer[:skipped]
        self._body_left -= skipped


def parse_head(head: str) -> Request:
    """Parse a request line and its headers."""
    first, *lines = head.split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not all(words):
        raise BadRequestError(400)
    if words[2] not in VERSIONS:
        raise BadRequestError(505)
    request = Request(words[0], words[1], words[2], parse_headers(lines))
    if request.version == "HTTP/1.1" and "host" not in request.headers:
        raise BadRequestError(400)
    return request


def parse_headers(lines: list[str]) -> dict[str, str]:
    """Parse header lines; a repeated name is joined with a comma (so two different lengths are not a number)."""
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or " " in name:
            raise BadRequestError(400)
        key, value = name.lower(), value.strip()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers
