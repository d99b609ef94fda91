"""Makes text of a trace safe to show: its author may have meant it for the terminal.

A trace can hold escape sequences, carriage returns that overwrite a line, characters that turn the direction of
writing or show nothing, and marks that pile up on the character before them, be it ours. A byte that was no UTF-8
arrives as a lone surrogate ("surrogateescape"), which no encoder accepts. Text of every script stays readable.
"""

from __future__ import annotations

import re
from unicodedata import category

MOST_MARKS = 4
"""Marks on one letter; Hebrew with its accents has as many."""

_SUSPECT = re.compile("[\x00-\x1f\x7f]|[^\x00-\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Obeyed by a terminal, of no shape, or of a shape that is not known."""
_MARKS = frozenset({"Mn", "Me"})
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Letters, marks and symbols that show nothing: fillers, variation selectors, the empty Braille pattern."""


def visible(text: str) -> str:
    r"""Return the text with everything a terminal would obey or hide written out: `\x1b`, `\n`, `\u202e`, `\xff`."""
    return text if text.isascii() and text.isprintable() else _SUSPECT.sub(_shown, text)


def encodable(text: str) -> str:
    """Return the text with lone surrogates written out, so that every encoder takes it."""
    return text if text.isascii() else _SURROGATE.sub(_written_out, text)


def _shown(found: re.Match[str]) -> str:
    character = found.group()
    kind = category(character)
    if kind in _UNSEEN or _BLANK.match(character) is not None:
        return _written_out(found)
    if kind in _MARKS and not _is_carried(found.string, found.start()):
        return _written_out(found)
    return character


def _is_carried(text: str, place: int) -> bool:
    """Whether the mark at that place has a letter to stand on, together with no more than a few others."""
    for before in range(place - 1, max(place - 1 - MOST_MARKS, -1), -1):
        kind = category(text[before])
        if kind not in _MARKS:
            return kind[0] == "L" or kind == "Mc"
    return False


def _written_out(found: re.Match[str]) -> str:
    code = ord(found.group())
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: the byte itself
        return f"\\x{code - 0xDC00:02x}"
    if code in _SHORT:
        return _SHORT[code]
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


_SHORT = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}
