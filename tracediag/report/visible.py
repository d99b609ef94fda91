"""Makes text of a trace safe to show: it may be crafted to control the terminal.

A trace can hold escape sequences, carriage returns that overwrite a line, characters that change the direction of
writing or are invisible, and combining marks that stack on the preceding character, even one of ours. A byte that is
not UTF-8 arrives as a lone surrogate ("surrogateescape"), which no encoder accepts. Text of any script stays legible.
"""

from __future__ import annotations

import re
from unicodedata import category

from tracediag.trace.patterns import lazy_pattern

MOST_MARKS = 4
"""Combining marks per letter; Hebrew with its accents has this many."""

_SUSPECT = lazy_pattern("[\x00-\x1f\x7f]|[^\x00-\x7f]")
_SURROGATE = lazy_pattern("[\ud800-\udfff]")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories that a terminal obeys, or that have no visible or no known shape."""
_MARKS = frozenset({"Mn", "Me"})
_BLANK = lazy_pattern(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters, marks and symbols that are invisible: fillers, variation selectors, the empty Braille pattern."""


def visible(text: str) -> str:
    r"""Return the text with everything a terminal would obey or hide written out: `\x1b`, `\n`, `\u202e`, `\xff`."""
    return text if text.isascii() and text.isprintable() else _SUSPECT.sub(_shown, text)


def encodable(text: str) -> str:
    """Return the text with lone surrogates escaped, so that every encoder accepts it."""
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
    """Whether the combining mark at that index follows a letter, with at most a few others."""
    for before in range(place - 1, max(place - 1 - MOST_MARKS, -1), -1):
        kind = category(text[before])
        if kind not in _MARKS:
            return kind[0] == "L" or kind == "Mc"
    return False


def _written_out(found: re.Match[str]) -> str:
    code = ord(found.group())
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: the original byte
        return f"\\x{code - 0xDC00:02x}"
    if code in _SHORT:
        return _SHORT[code]
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


_SHORT = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}
