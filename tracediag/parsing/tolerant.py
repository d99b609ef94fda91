"""Makes the best of text outside the language: a call cut by the end of the file, a line that somebody retyped.

It splits at the commas that stand outside strings and brackets. A piece that is in the language is read as such; of the
others as much is kept as can be told: a string without its end is a shortened one, a brace without its end an
incomplete structure, anything else a name.
"""

from __future__ import annotations

import re

from tracediag.parsing.strict import ArgumentError, parse_strict
from tracediag.parsing.tokens import unescaped
from tracediag.values import Annotated, Array, Structure, Symbol, Text, Value

_PIECE = re.compile(
    r'(?>@?"(?>[^"\\]++|\\.)*+"?'  # a string, with or without its end
    r"|'(?>[^'\\]|\\.)'"
    r"|/\*(?>[^*]++|\*(?!/))*+(?:\*/)?"
    r"|<(?![<.])(?>[^<>,\"]++|(?<=-)>(?=[0-9\[])|<[^<>,\"]*+>)*+>(?:\(deleted\))?"
    r"|[\[{(\]}),]"
    r"|.)",
    re.DOTALL,
)
_DEPTH = 8
_MOST_ITEMS = 1000
_LONGEST = 10_000
"""Characters of a piece that is tried by the grammar; a longer one is taken as it is."""
_KEY = re.compile(r"([A-Za-z_]\w*+)(?:\([0-9]++\))?+[=:](?![=>])")
_FD = re.compile(r"(-?[0-9]{1,20})<(.*)", re.DOTALL)


def parse_tolerant(body: str) -> tuple[Value, ...]:
    """Return the best reading of the text; never raise."""
    return tuple(_value(piece, _DEPTH) for piece in _split(body))


def _split(text: str) -> list[str]:
    """Cut at the commas outside of strings, remarks, annotations and brackets."""
    pieces: list[str] = []
    start = depth = 0
    for match in _PIECE.finditer(text):
        mark = match.group()
        if mark in "[{(":
            depth += 1
        elif mark in "]})":
            depth -= 1
        elif mark == "," and depth <= 0:
            pieces.append(text[start : match.start()].strip())
            start = match.end()
            if len(pieces) >= _MOST_ITEMS:
                break
    pieces.append(text[start:].strip())
    return pieces if pieces[-1] else pieces[:-1]


def _value(piece: str, depth: int) -> Value:
    if len(piece) <= _LONGEST:
        try:
            values = parse_strict(piece)
        except ArgumentError:
            pass
        else:
            if len(values) == 1:
                return values[0]
    return _guess(piece, depth)


def _guess(piece: str, depth: int) -> Value:
    key = _KEY.match(piece)
    if key:
        return _value(piece[key.end() :].strip(), depth - 1) if depth else Symbol(piece)
    opened = piece[:1]
    if opened == "{" and depth:
        return Structure(tuple(_field(inner, depth - 1) for inner in _split(_inside(piece, "}"))), complete=False)
    if opened == "[" and depth:
        return Array(tuple(_value(inner, depth - 1) for inner in _split(_inside(piece, "]"))), complete=False)
    if opened == '"' or piece.startswith('@"'):
        return Text(unescaped(piece.removeprefix("@").strip('"')), shortened=True, abstract=opened == "@")
    fd = _FD.match(piece)
    if fd:
        return Annotated(int(fd[1]), fd[2].removesuffix(">"))
    return Symbol(piece)


def _inside(piece: str, closing: str) -> str:
    return piece[1:-1] if piece.endswith(closing) else piece[1:]


def _field(piece: str, depth: int) -> tuple[str, Value]:
    key = _KEY.match(piece)
    if key is None:
        return "", _value(piece, depth)
    return key[1], _value(piece[key.end() :].strip(), depth)
