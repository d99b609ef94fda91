"""String literals of strace: where they stand in a line, and the text that their escapes stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tracediag.trace.patterns import lazy_pattern

LITERAL = lazy_pattern(r'"((?>[^"\\]|\\.)*+)(?:"|\\?$)')
"""A literal; a line may end inside it."""
_PIECE = lazy_pattern(r"\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))|([^\\]+|\\\Z)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "v": "\v", "f": "\f", "0": "\0"}


class Literal:
    """The text of a literal, and where each of its characters stands in the line."""

    def __init__(self, body: str, start: int) -> None:
        """Decode the characters between the quotes; `start` is the place of the first in the line."""
        self._start = start
        self._places: list[int] | None = None
        self.text = body
        self.is_escaped = "\\" in body
        if self.is_escaped:
            self._decode(body)

    def place(self, index: int) -> int:
        """Return where in the line a character of the text begins; its length is the place of the end."""
        return self._start + (index if self._places is None else self._places[index])

    def _decode(self, body: str) -> None:
        texts: list[str] = []
        places: list[int] = []
        for piece in _PIECE.finditer(body):
            text = _character(piece)
            texts.append(text)
            if piece[4]:
                places.extend(range(piece.start(), piece.end()))
            else:
                places.append(piece.start())
        self.text = "".join(texts)
        self._places = [*places, len(body)]


def literals_in(line: str) -> Iterator[tuple[Literal, int]]:
    """Yield each literal of a line with the place of its first quote."""
    for found in LITERAL.finditer(line):
        yield Literal(found[1], found.start(1)), found.start()


def _character(piece: re.Match[str]) -> str:
    if piece[1]:
        return chr(int(piece[1], 16))
    if piece[2]:
        return chr(int(piece[2], 8) & 0xFF)
    return _ESCAPES.get(piece[3], piece[3]) if piece[3] else piece[4]
