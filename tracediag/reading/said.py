r"""The data of a write that stands in the trace itself, because strace and the program wrote to the same place.

`write(2, "cannot open \"/et"..., 40cannot open "/etc/app.conf": not found` shows all that strace cut off: after the
number of bytes come just so many bytes, on this line and the next ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from tracediag.parsing.tokens import unescaped
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern

LONGEST = 1 << 16
"""Bytes of a write that are looked for in the trace."""

_FD = r"(?P<fd>\d++(?:<(?>[^<>]|<[^<>]*+>)*+>)?), "
_TEXT = r"\"(?P<text>(?>[^\"\\]++|\\.)*+)\"(?P<cut>(?:\.\.\.)?)"
_WRITE = lazy_pattern(_FD + _TEXT + r", (?=(?P<digits>[0-9]{1,9}+))")
_VECTOR = lazy_pattern(
    _FD + r"\[(?P<buffers>(?>\{iov_base=\"(?>[^\"\\]++|\\.)*+\"(?:\.\.\.)?, iov_len=[0-9]{1,9}+\}(?>, )?+)++)\]"
    r", (?P<digits>[0-9]{1,4})"
)
_BUFFER = lazy_pattern(r"\{iov_base=" + _TEXT + r", iov_len=(?P<size>[0-9]++)\}")
_NAMED = {"\n": "\\n", "\\": "\\\\", '"': '\\"', "\t": "\\t", "\r": "\\r", "\v": "\\v", "\f": "\\f"}


class _Part(msgspec.Struct, frozen=True):
    """One buffer: what strace shows of it, and its size in bytes."""

    text: str
    cut: bool
    size: int


class Shown(msgspec.Struct, frozen=True):
    """The arguments of a write up to its last number, and its buffers."""

    arguments: str
    parts: tuple[_Part, ...]
    vector: bool
    fd: str

    @property
    def size(self) -> int:
        """The bytes to be written."""
        return sum(part.size for part in self.parts)

    @property
    def cut(self) -> bool:
        """Whether strace shows only the beginning of a buffer."""
        return any(part.cut for part in self.parts)

    def begins(self, line: str) -> bool:
        """Return whether the data may begin with this line."""
        said = f"{line}\n".encode("utf-8", "surrogateescape")
        beginning = unescaped(self.parts[0].text)
        return bool(beginning) and (said.startswith(beginning) or beginning.startswith(said))

    def filled(self, said: str) -> str | None:
        """Return the arguments with all of the data; None if the text is not what was written."""
        data = said.encode("utf-8", "surrogateescape")
        if len(data) != self.size:
            return None
        pieces, at = [], 0
        for part in self.parts:
            piece, at = data[at : at + part.size], at + part.size
            beginning = unescaped(part.text)
            if not piece.startswith(beginning) or (not part.cut and piece != beginning):
                return None
            pieces.append(quoted(piece))
        if not self.vector:
            return f"{self.fd}, {pieces[0]}, {self.size}"
        buffers = [f"{{iov_base={piece}, iov_len={part.size}}}" for piece, part in zip(pieces, self.parts, strict=True)]
        return f"{self.fd}, [{', '.join(buffers)}], {len(buffers)}"


def readings(body: str) -> Iterator[Shown]:
    """Yield the readings of the arguments of a write that its data may follow: the data may begin with a digit."""
    found = _WRITE.match(body)
    if found is not None:
        for end in range(len(found["digits"]), 0, -1):
            size = checked_integer(found["digits"][:end])
            if size <= LONGEST:
                part = _Part(found["text"], bool(found["cut"]), size)
                yield Shown(body[: found.end() + end], (part,), vector=False, fd=found["fd"])
        return
    found = _VECTOR.match(body)
    if found is not None:
        buffers = tuple(
            _Part(buffer["text"], bool(buffer["cut"]), checked_integer(buffer["size"]))
            for buffer in _BUFFER.finditer(found["buffers"])
        )
        count = str(len(buffers))
        if found["digits"].startswith(count) and sum(part.size for part in buffers) <= LONGEST:
            yield Shown(body[: found.start("digits") + len(count)], buffers, vector=True, fd=found["fd"])


def filled(body: str) -> str | None:
    """Return the arguments of a write with all of its data, if that follows them; else None."""
    for shown in readings(body):
        whole = shown.filled(body[len(shown.arguments) :])
        if whole is not None:
            return whole
    return None


def filled_by(body: str, said: Sequence[str]) -> str | None:
    """Return the arguments of a write with the data of later lines, the last of which may be complete or not."""
    text = "\n".join(said)
    for shown in readings(body):
        if len(shown.arguments) == len(body):
            return shown.filled(text) or shown.filled(f"{text}\n")
    return None


def quoted(data: bytes) -> str:
    """Return a string as strace prints it."""
    text = data.decode("latin-1")
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return (
        '"'
        + "".join([_NAMED.get(char) or (char if " " <= char <= "~" else f"\\{ord(char):03o}") for char in text])
        + '"'
    )
