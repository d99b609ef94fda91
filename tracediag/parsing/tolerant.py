"""Parses text outside the language as well as possible: a call truncated by the end of the file, a retyped line.

It splits at the commas outside strings and brackets. A piece in the language is parsed as usual; of the others as much
as possible is kept: a string without its end is a shortened one, a brace without its end an incomplete structure,
anything else a name. All of it is bounded, because such text may be hostile.
"""

from __future__ import annotations

import re

from tracediag.parsing.strict import ArgumentError, parse_strict
from tracediag.parsing.tokens import unescaped
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.values import Annotated, Array, Structure, Symbol, Text, Value

# An opened bracket matches with or without its end: backtracking over it would make the search quadratic.
_MARK = lazy_pattern(
    r"""(?>
      @?+"(?>[^"\\]++|\\.)*+"?+
    | '(?>[^'\\]|\\.)'
    | /\*(?>[^*]++|\*(?!/))*+(?>\*/)?+
    | <(?![<.])(?>[^<>,"]++|(?<=-)>(?=[0-9\[])|<[^<>,"]*+>)*+(?>>(?>\(deleted\))?+)?+
    | [\[{(]++ | [\]})]++ | ,
    )""",
    re.DOTALL | re.VERBOSE,
)
_KEY = lazy_pattern(r"([A-Za-z_]\w*+)(?>\([0-9]++\))?+(?>[=:](?![=>])| = )")
_FD = lazy_pattern(r"(-?[0-9]{1,20}+)<(.*)", re.DOTALL)
_DEPTH = 8
_MOST_ITEMS = 1000
_LONG = 1 << 16
"""In a piece longer than this only two levels are parsed: each level is one more pass."""
_BUDGET = 20_000
"""Characters that may be parsed by the grammar, per body."""


def parse_tolerant(body: str) -> tuple[Value, ...]:
    """Return the best reading of the text; never raises."""
    reader = _Reader()
    return tuple([reader.value(piece, _DEPTH) for piece in _split(body)])


def _split(text: str) -> list[str]:
    """Split at the commas outside strings, remarks, annotations and brackets."""
    pieces: list[str] = []
    start = depth = 0
    for match in _MARK.finditer(text):
        mark = match.group()
        if mark[0] in "[{(":
            depth += len(mark)
        elif mark[0] in "]})":
            depth -= len(mark)
        elif mark == "," and depth <= 0:
            pieces.append(text[start : match.start()].strip())
            start = match.end()
            if len(pieces) >= _MOST_ITEMS:
                break
    pieces.append(text[start:].strip())
    return pieces if pieces[-1] else pieces[:-1]


class _Reader:
    """Parses the pieces of one body."""

    def __init__(self) -> None:
        self._budget = _BUDGET

    def value(self, piece: str, depth: int) -> Value:
        """Return the piece as the grammar parses it, else by its appearance."""
        if len(piece) <= self._budget:
            self._budget -= len(piece)
            try:
                values = parse_strict(piece)
            except ArgumentError:
                return self._guess(piece, depth)
            if len(values) == 1:
                return values[0]
        return self._guess(piece, depth)

    def _guess(self, piece: str, depth: int) -> Value:
        key = _KEY.match(piece)
        opened = piece[:1]
        if depth and key:
            return self.value(piece[key.end() :].strip(), depth - 1)
        if depth and opened in ("{", "["):
            return self._bracket(piece, depth - 1 if len(piece) <= _LONG else min(depth - 1, 1))
        if opened == '"' or piece.startswith('@"'):
            return Text(
                unescaped(piece.removeprefix("@")[1:].removesuffix('"')), shortened=True, abstract=opened == "@"
            )
        fd = _FD.match(piece)
        if fd:
            return Annotated(checked_integer(fd[1]), fd[2].removesuffix(">"))
        return Symbol(piece)

    def _bracket(self, piece: str, depth: int) -> Value:
        if piece[0] == "{":
            return Structure(
                tuple([self._field(inner, depth) for inner in _split(_inside(piece, "}"))]), complete=False
            )
        return Array(tuple([self.value(inner, depth) for inner in _split(_inside(piece, "]"))]), complete=False)

    def _field(self, piece: str, depth: int) -> tuple[str, Value]:
        key = _KEY.match(piece)
        if key is None:
            return "", self.value(piece, depth)
        return key[1], self.value(piece[key.end() :].strip(), depth)


def _inside(piece: str, closing: str) -> str:
    return piece[1:-1] if piece.endswith(closing) else piece[1:]
